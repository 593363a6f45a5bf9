"""Evens out what two texts have in common, so that common words do not decide."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from ....tasks.shallow.bags import words
from ..asking.forms import Pair
from .items import Item

_BINS = 8


def balance_overlap(items: Sequence[Item], rng: np.random.Generator) -> list[Item]:
    """Keeps as many items whose true texts share more words as whose false ones do.

    What comes next shares a little more of its words with what is before than what
    comes later. Words count by how rare they are: `ln (texts / texts with it)`.
    By how much the one shares more than the other, items fall into eight bins of as
    many; of each bin and kind as many are kept of either sign, drawn at random.

    Args:
      items: of any kinds; those of each are evened out apart.
      rng: of which are kept.
    """
    texts = [pair[1] for item in items for pair in (item.true, item.false)]
    counts = Counter(word for text in texts for word in set(words(text)))
    rarity = {word: math.log(len(texts) / count) for word, count in counts.items()}
    margins = np.array([_margin(item, rarity) for item in items], np.float64)
    kept: list[int] = []
    for kind in sorted({item.kind for item in items}):
        of_kind = np.array([at for at, item in enumerate(items) if item.kind == kind])
        order = of_kind[np.argsort(np.abs(margins[of_kind]), kind="stable")]
        for part in np.array_split(order, _BINS):
            more, less = part[margins[part] > 0], part[margins[part] < 0]
            size = min(len(more), len(less))
            kept += part[margins[part] == 0].tolist()
            for side in (more, less):
                kept += rng.permutation(side)[:size].tolist()
    return [items[at] for at in sorted(kept)]


def _margin(item: Item, rarity: dict[str, float]) -> float:
    return _shared(item.true, rarity) - _shared(item.false, rarity)


def _shared(pair: Pair, rarity: dict[str, float]) -> float:
    before, after = (set(words(" ".join(text.split()))) for text in pair)
    # Exact, for the same sum in whatever order a set has. Blanks are no words.
    return math.fsum(rarity[word] for word in before & after)
