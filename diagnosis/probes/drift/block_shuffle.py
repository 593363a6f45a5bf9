"""A text against itself with its blocks of sentences shuffled."""

from collections.abc import Sequence

import numpy as np

from ..choices.items import Item
from ..choices.paragraphs import inner

BLOCKS = (1, 2, 3, 4, 5)
"""Sentences in a block; the last block of a window may be shorter."""

_FEWEST = 3
"""Least blocks in a window."""


def block_shuffle(
    texts: Sequence[str],
    rng: np.random.Generator,
    *,
    most_words: int = 256,
) -> list[Item]:
    """The order of a text against another order of its blocks of k sentences.

    The order of single sentences is the test of Barzilay and Lapata (2008, §5.1);
    blocks, which keep most neighbours together, are those of Laban et al. (2021, §3):
    larger blocks need longer context to be ordered.

    A document's first and last sentences, which reveal their place, are left out. The
    first block stays in place, so that both texts begin alike.

    Args:
      texts: documents.
      rng: draws windows and orders.
      most_words: in a window of whole sentences.

    Returns:
      Items of kinds "blocks of 1" and so on. `before` is empty, so likelihoods of the
      whole texts are compared, which have the same words.
    """
    items: list[Item] = []
    for document, text in enumerate(texts):
        inside = inner(text)
        if not inside.sentences:
            continue
        # A window begins at any sentence from which on there are enough words.
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
    """The first piece, followed by the others in a different order."""
    order = rng.permutation(len(pieces) - 1)
    while (order == np.arange(len(order))).all():
        order = rng.permutation(len(pieces) - 1)
    return [pieces[0], *(pieces[1 + int(at)] for at in order)]
