"""A text in its order against the same with its blocks of sentences shuffled."""

from collections.abc import Sequence

import numpy as np

from ..choices.items import Item
from ..choices.paragraphs import inner

BLOCKS = (1, 2, 3, 4, 5)
"""Sentences of a block; the last of a window may be short of some."""

_FEWEST = 3
"""Blocks of a window."""


def block_shuffle(
    texts: Sequence[str],
    rng: np.random.Generator,
    *,
    most_words: int = 256,
) -> list[Item]:
    """The order of a text against another order of its blocks of k sentences.

    The order of single sentences is the test of Barzilay and Lapata (2008, §5.1);
    blocks, which keep what is next to each sentence, are those of Laban et al. (2021,
    §3): the larger, the further off what gives the order away.

    A document's first and last sentence are left out, for their words show their
    places. The first block stays where it is, so that both texts begin alike.

    Args:
      texts: documents.
      rng: of windows and orders.
      most_words: of the window of whole sentences that is shown.

    Returns:
      Items of kinds "blocks of 1" and so on. Nothing stands before either text, so
      what is compared is how likely they are, and both have the same words.
    """
    items: list[Item] = []
    for document, text in enumerate(texts):
        inside = inner(text)
        if not inside.sentences:
            continue
        # A window begins at any sentence with as many words from it on as go in.
        starts = inside.places(min(most_words, inside.left[0]))
        for k in BLOCKS:
            window = inside.window(int(rng.integers(starts)), most_words)
            pieces = ["".join(window[at : at + k]) for at in range(0, len(window), k)]
            if len(pieces) < _FEWEST:
                continue
            true, false = "".join(pieces), "".join(_reordered(pieces, rng))
            true, false = true.lstrip(), false.lstrip()
            items.append(Item(document, f"blocks of {k}", ("", true), ("", false)))
    return items


def _reordered(pieces: Sequence[str], rng: np.random.Generator) -> list[str]:
    """The first piece, and the others in another order than theirs."""
    order = rng.permutation(len(pieces) - 1)
    while (order == np.arange(len(order))).all():
        order = rng.permutation(len(pieces) - 1)
    return [pieces[0], *(pieces[1 + int(at)] for at in order)]
