"""Does a model prefer a paragraph from further ahead over the one that comes next?"""

from collections.abc import Sequence

import numpy as np

from ..choices.items import Item
from ..choices.overlap_balance import balance_overlap
from ..choices.paragraphs import beginning, ending, paragraphs, word_count

AHEAD = (2, 4, 8)
"""How far ahead the false paragraph is, k; the true one is 1 ahead. Documents too short
for one give no item of it."""

_LEAST_AFTER = 8
"""Words of either paragraph."""


def jump_ahead(
    texts: Sequence[str],
    rng: np.random.Generator,
    *,
    each: int = 2,
    most_words: int = 256,
    most_after: int = 48,
) -> list[Item]:
    """The next paragraph against the k-th next, after the same text.

    A model that drifts writes what only makes sense later. The negatives are those by
    which CONPONO (Iter et al. 2020, §2) tells distances in a document, asked as a
    preference. The last paragraph of a document is never shown, for only a false one
    could be it. Both paragraphs are cut to as many words: those of the shorter one, or
    `most_after`. Items are dropped until common words do not tell (`balance_overlap`).

    Args:
      texts: documents.
      rng: of where the text is cut, and of which items are dropped.
      each: most items of a document for each distance.
      most_words: of what is before, cut from the left where a sentence begins.
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
