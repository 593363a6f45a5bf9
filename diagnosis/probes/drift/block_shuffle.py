"""A text in its order against the same with its blocks of sentences shuffled."""

from collections.abc import Sequence

import numpy as np

from ..choices.items import Item
from ..choices.paragraphs import sentences, word_count

BLOCKS = (1, 2, 3, 4, 5)
"""Sentences of a block."""


def block_shuffle(
    texts: Sequence[str],
    rng: np.random.Generator,
    *,
    blocks: Sequence[int] = BLOCKS,
    each: int = 1,
    most_words: int = 256,
    least_blocks: int = 3,
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
      blocks: sentences of a block, k.
      each: items of a document for each k, where it allows for any.
      most_words: of the window of whole sentences that is shown.
      least_blocks: that the window must have; the last may be short of sentences.

    Returns:
      Items of kinds "blocks of 1" and so on. Nothing stands before either text, so
      what is compared is how likely they are, and both have the same words.
    """
    items: list[Item] = []
    for document, text in enumerate(texts):
        found = sentences(text)[1:-1]
        for k in blocks:
            for _ in range(each):
                window = _window(found, rng, most_words)
                pieces = [
                    "".join(window[at : at + k]) for at in range(0, len(window), k)
                ]
                if len(pieces) < least_blocks:
                    continue
                true, false = "".join(pieces), "".join(_reordered(pieces, rng))
                true, false = true.lstrip(), false.lstrip()
                items.append(Item(document, f"blocks of {k}", ("", true), ("", false)))
    return items


def _window(
    found: Sequence[str], rng: np.random.Generator, most_words: int
) -> list[str]:
    """Whole sentences in a row, from any that has as many words after it as go in."""
    counts = np.array([word_count(sentence) for sentence in found], np.int64)
    left = np.cumsum(counts[::-1])[::-1]
    starts = np.flatnonzero(left >= min(most_words, int(counts.sum())))
    if not len(starts):
        return []
    start = int(rng.choice(starts))
    fits = np.cumsum(counts[start:]) <= most_words
    return list(found[start : start + int(fits.sum())])


def _reordered(pieces: Sequence[str], rng: np.random.Generator) -> list[str]:
    """The first piece, and the others in another order than theirs."""
    order = rng.permutation(len(pieces) - 1)
    while (order == np.arange(len(order))).all():
        order = rng.permutation(len(pieces) - 1)
    return [pieces[0], *(pieces[1 + int(at)] for at in order)]
