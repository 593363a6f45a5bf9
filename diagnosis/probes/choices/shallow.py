"""Shallow baselines of preference probes: if surface cues solve one, it is void.

`results/LOG.md` has the accuracies measured. Only "other" is solved, by shared words:
it asks whether the topic changes, which they show.
"""

import functools
from collections.abc import Callable, Sequence

import numpy as np

from ....objectives.errors import UsageError
from ....tasks.shallow.bags import bag_of_words, both_bags, second_bag, shared, words
from ....tasks.shallow.ngram import ORDER, Ngrams
from ..asking.forms import Pair
from .items import Item, alone

LEAST = 32
"""Items below which a baseline is not fitted."""

Margin = Callable[[Item], float]
"""The margin by which a baseline prefers an item's true pair."""


def baselines(fitted: Sequence[Item], tested: Sequence[Item]) -> dict[str, float]:
    """The share of items of which each baseline prefers the true pair.

    "bag of words": a linear model of the words of either text; it sees no order.
    "shared words": a linear model of which words the two have in common.
    "5-gram": the log-likelihood of `after`, given the four words before it.
    "5-gram, prior removed": that less the log-likelihood without the text before, as
    for models; the same if nothing is before.

    A tie counts half, so chance is .5. The 5-grams are fitted to the true texts.

    Args:
      fitted: items to fit to, of other documents than `tested`.
      tested: items to measure.

    Raises:
      ValueError: fewer than 32 items to fit to, or none to test.
    """
    if len(fitted) < LEAST or not tested:
        raise UsageError(
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
    accuracies: dict[str, dict[str, float]] = {}
    for kind in sorted({item.kind for item in tested}):
        of_kind = [item for item in fitted if item.kind == kind]
        accuracies[kind] = baselines(
            of_kind if len(of_kind) >= LEAST else fitted,
            [item for item in tested if item.kind == kind],
        )
    return accuracies


def _margins(fitted: Sequence[Item]) -> dict[str, Margin]:
    # Words of `before` matter only if they differ.
    alike = all(item.true[0] == item.false[0] for item in fitted)
    language = Ngrams(words(text) for text in _texts(fitted))
    return {
        "bag of words": _bags(fitted, second_bag if alike else both_bags),
        "shared words": _bags(fitted, shared),
        "5-gram": functools.partial(_likelihood_margin, language),
        "5-gram, prior removed": functools.partial(_pointwise_margin, language),
    }


def _bags(
    fitted: Sequence[Item], features: Callable[[Pair], dict[str, float]]
) -> Margin:
    score = bag_of_words(fitted, features=features)
    return lambda item: score(item.true) - score(item.false)


def _likelihood_margin(language: Ngrams, item: Item) -> float:
    """The log-likelihood ratio of the true and the false `after`."""
    true, false = (
        language.log_probability(words(after), words(before))
        for before, after in (item.true, item.false)
    )
    return true - false


def _pointwise_margin(language: Ngrams, item: Item) -> float:
    """The difference in pointwise mutual information of the true and the false pair."""
    if not item.true[0]:
        return _likelihood_margin(language, item)
    gains: list[float] = []
    for pair in (item.true, item.false):
        # Later words have the same context either way.
        opening = words(pair[1])[: ORDER - 1]
        context = words(alone(pair, item.local))
        after = language.log_probability(opening, words(pair[0]))
        gains.append(after - language.log_probability(opening, context))
    return gains[0] - gains[1]


def _texts(items: Sequence[Item]) -> list[str]:
    """The longest true text of each document, since items of one overlap."""
    longest: dict[int, str] = {}
    for item in items:
        text = "".join(item.true)
        longest[item.document] = max(longest.get(item.document, ""), text, key=len)
    return list(longest.values())
