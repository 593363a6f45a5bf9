"""Does a model prefer a later paragraph over the next one?"""

from collections.abc import Sequence

import numpy as np

from ..choices.items import Item
from ..choices.overlap_balance import balance_overlap
from ..choices.paragraphs import beginning, ending, paragraphs, word_count

AHEAD = (2, 4, 8)
"""How many paragraphs ahead the false one is; the true one is 1 ahead. Documents that
are too short give no item."""

_LEAST_AFTER = 8
"""Least words of either paragraph."""


def jump_ahead(
    texts: Sequence[str],
    rng: np.random.Generator,
    *,
    each: int = 2,
    most_words: int = 256,
    most_after: int = 48,
) -> list[Item]:
    """The next paragraph against the k-th next, after the same text.

    A model that drifts writes what only makes sense later. The negatives are those of
    CONPONO (Iter et al. 2020, §2), as a preference. The last paragraph of a document,
    which could only be a false one, is not used. Both paragraphs are cut to the length
    of the shorter one, or `most_after`. Items are dropped until shared words do not
    give the answer away (`balance_overlap`).

    Args:
      texts: documents.
      rng: draws the cuts and the items to drop.
      each: most items of a document for each distance.
      most_words: in `before`, which is cut to whole sentences.
      most_after: most words of the paragraphs.

    Returns:
      Items of kinds "2 ahead", "4 ahead" and so on.
    """
    items: list[Item] = []
    for document, text in enumerate(texts):
        units = paragraphs(text)
        for k in AHEAD:
            places = max(0, len(units) - 1 - k)
            for at in rng.permutation(places)[:each]:
                following, later = units[at + 1], units[at + k]
                size = min(word_count(following), word_count(later), most_after)
                if size < _LEAST_AFTER:
                    continue
                before = ending("".join(units[: at + 1]), most_words)
                true = (before, beginning(following, size))
                false = (before, beginning(later, size))
                items.append(Item(document, f"{k} ahead", true, false))
    return balance_overlap(items, rng)
