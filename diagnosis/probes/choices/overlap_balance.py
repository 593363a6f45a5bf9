"""Balances lexical overlap between true and false items."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from ....tasks.shallow.bags import words
from ..asking.forms import Pair
from .items import Item

_BINS = 8


def balance_overlap(items: Sequence[Item], rng: np.random.Generator) -> list[Item]:
    """Drops items until true and false texts overlap equally with what is before.

    The true continuation tends to share more words with the text before it. Words are
    weighted by rarity, `ln (texts / texts with it)`. Items are sorted into eight equal
    bins by the margin of overlap; in each bin and kind as many are kept with a positive
    as with a negative margin, drawn at random.

    Args:
      items: of any kinds, each balanced separately.
      rng: draws the items to keep.
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
    # An exact sum does not depend on the order of a set.
    return math.fsum(rarity[word] for word in before & after)
