"""What surface cues make of a probe: if they solve it, it measures nothing."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ...tasks.shallow.bags import (
    Score,
    bag_of_words,
    both_bags,
    second_bag,
    shared,
    words,
)
from ...tasks.shallow.ngram import ORDER, Ngrams
from .items import Item, alone

LEAST = 32
"""Items below which a baseline is not fitted."""

Margin = Callable[[Item], float]
"""By how much a baseline prefers an item's true pair."""


def baselines(fitted: Sequence[Item], tested: Sequence[Item]) -> dict[str, float]:
    """The share of items of which each baseline prefers the true pair.

    "bag of words": a linear model of the words of either text; it sees no order.
    "shared words": a linear model of which words the two have in common.
    "5-gram": how likely `after` is, after the four words before it.
    "5-gram, prior removed": that less how likely it is without the text before, as
    models are asked; the same where nothing is before.

    A tie counts half, so a guess has .5. The 5-grams are fitted to the true texts.

    Args:
      fitted: items to fit to; of other documents than `tested`, whose indices may
        count from 0 again.
      tested: items to measure.

    Raises:
      ValueError: fewer than 32 items to fit to, or none to test.
    """
    if len(fitted) < LEAST or not tested:
        raise ValueError(
            f"baselines were given {len(fitted)} items to fit to and {len(tested)} to "
            f"test; give at least {LEAST} and 1, of more documents."
        )
    return {
        name: float(np.mean([(np.sign(margin(item)) + 1) / 2 for item in tested]))
        for name, margin in _margins(fitted).items()
    }


def baselines_by_kind(
    fitted: Sequence[Item], tested: Sequence[Item]
) -> dict[str, dict[str, float]]:
    """`baselines` of each kind of item in `tested`.

    Fitted to the items of the kind, or to all where those are fewer than 32.
    """
    found: dict[str, dict[str, float]] = {}
    for kind in sorted({item.kind for item in tested}):
        own = [item for item in fitted if item.kind == kind]
        found[kind] = baselines(
            own if len(own) >= LEAST else fitted,
            [item for item in tested if item.kind == kind],
        )
    return found


def table(found: Mapping[str, Mapping[str, float]], items: Sequence[Item]) -> str:
    """Accuracies by kind as lines of text, with how many items each stands on."""
    names = next(iter(found.values()), {})
    lines = ["kind                    items  " + "  ".join(names)]
    for kind, accuracies in found.items():
        count = sum(item.kind == kind for item in items)
        values = "  ".join(
            f"{value:>{len(name)}.3f}" for name, value in accuracies.items()
        )
        lines.append(f"{kind:<22}{count:>7}  {values}")
    return "\n".join(lines)


def _margins(fitted: Sequence[Item]) -> dict[str, Margin]:
    # Words before count only where they differ.
    alike = all(item.true[0] == item.false[0] for item in fitted)
    bag = bag_of_words(fitted, features=second_bag if alike else both_bags)
    common = bag_of_words(fitted, features=shared)
    language = Ngrams(words(text) for text in _texts(fitted))
    return {
        "bag of words": _margin(bag),
        "shared words": _margin(common),
        "5-gram": lambda item: _likelier(language, item),
        "5-gram, prior removed": lambda item: _fitter(language, item),
    }


def _margin(score: Score) -> Margin:
    return lambda item: score(item.true) - score(item.false)


def _likelier(language: Ngrams, item: Item) -> float:
    """By how much the true `after` is likelier than the false one."""
    true, false = (
        language.log_probability(words(after), words(before))
        for before, after in (item.true, item.false)
    )
    return true - false


def _fitter(language: Ngrams, item: Item) -> float:
    """By how much more the text before adds to the true `after` than to the false."""
    if not item.true[0]:
        return _likelier(language, item)
    gains: list[float] = []
    for pair in (item.true, item.false):
        # Words further on have the same words before them either way.
        first = words(pair[1])[: ORDER - 1]
        own = words(alone(pair, item.local))
        after = language.log_probability(first, words(pair[0]))
        gains.append(after - language.log_probability(first, own))
    return gains[0] - gains[1]


def _texts(items: Sequence[Item]) -> list[str]:
    """The longest true text of each document, for items of one overlap."""
    longest: dict[int, str] = {}
    for item in items:
        text = "".join(item.true)
        longest[item.document] = max(longest.get(item.document, ""), text, key=len)
    return list(longest.values())
