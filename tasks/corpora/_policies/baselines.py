"""Shallow baselines on the choices of `pairs`: what surface cues give away.

A guess is right half the time. Fitted to 2,000 documents, tested on 2,000 others; the
95 % intervals are ± 0.022 around 0.5:

    choice              bag of words   5-gram   shared words   reader
    swapped                    0.502    0.493          0.506    1.000
    further                    0.504    0.472          0.544    0.968
    other                      0.482    0.510          0.981    0.991
    restated                   0.505    0.494          0.830    1.000
    confused                   0.513    0.507          0.518    1.000
    sentences_swapped          0.488    0.513          0.509    0.717
    sentences_further          0.508    0.524          0.550    0.691
    words_swapped              0.495    1.000          0.478    0.631
    words_further              0.497    0.991          0.544    0.610

"Shared words" matches the two texts word by word, so it finds what was never mentioned:
another document, and a value that did not occur before (`restated`, not `confused`).
It also finds `further` slightly: consecutive paragraphs share a section or a department
more often. A cut inside a sentence (`words_...`) shows in the five words around it; at
ends of sentences and paragraphs it does not. "Reader" is no baseline: it matches names
and values, and shows how far a choice can be made at all.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ...shallow.bags import (
    Score,
    bag_of_words,
    both_bags,
    one_bag,
    second_bag,
    shared,
    words,
)
from ...shallow.ngram import ORDER, Ngrams
from .checker import contradictions
from .handovers import handovers
from .pairs import (
    SENTENCE,
    WORD,
    Choice,
    choices,
    confused,
    further,
    other,
    restated,
    swapped,
    windows,
)
from .policy import Policy

TASKS = {
    "swapped": swapped,
    "further": further,
    "other": other,
    "restated": restated,
    "confused": confused,
    "sentences_swapped": windows("swapped", SENTENCE, size=8),
    "sentences_further": windows("further", SENTENCE, size=8),
    "words_swapped": windows("swapped", WORD, size=90),
    "words_further": windows("further", WORD, size=90),
}
"""Every choice by name."""

CHANCE = 0.5
"""The accuracy of guessing."""


class Accuracy(NamedTuple):
    """How often a baseline prefers the true pair; a tie counts half.

    Attributes:
      task: name of the choice.
      baseline: name of the baseline.
      accuracy: share of choices; a guess has `CHANCE`.
      low: lower end of its 95 % interval (Wilson 1927).
      high: upper end.
      items: choices tested, each from another document.
    """

    task: str
    baseline: str
    accuracy: float
    low: float
    high: float
    items: int


def measure(
    policies: Sequence[Policy],
    tested: Sequence[Policy],
    *,
    tasks: Iterable[str] = tuple(TASKS),
    seed: int = 0,
) -> list[Accuracy]:
    """Fits each baseline to choices in some documents and tests it on those of others.

    Args:
      policies: documents to fit to.
      tested: other documents.
      tasks: names in `TASKS`.
      seed: of the places where choices are cut.
    """
    language = Ngrams(words(policy.text) for policy in policies)
    accuracies: list[Accuracy] = []
    for task in tasks:
        rng = np.random.default_rng(seed)
        fitted = choices(TASKS[task], policies, rng)
        items = choices(TASKS[task], tested, rng)
        scores: dict[str, Score] = {
            "bag of words": bag_of_words(fitted, features=both_bags),
            "bag of the second": bag_of_words(fitted, features=second_bag),
            "bag of both as one": bag_of_words(fitted, features=one_bag),
            "shared words": bag_of_words(fitted, features=shared),
            "5-gram": ngram_score(language, task),
            "reader": reader,
        }
        accuracies += [
            accuracy(task, name, score, items) for name, score in scores.items()
        ]
    return accuracies


def accuracy(
    task: str, baseline: str, score: Score, items: Sequence[Choice]
) -> Accuracy:
    """The share of items whose true pair has the higher score, with its interval."""
    wins = sum(
        (np.sign(score(item.true) - score(item.false)) + 1) / 2 for item in items
    )
    share, count, z = float(wins) / len(items), len(items), 1.96
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    spread = math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    half = z * spread / (1 + z * z / count)
    low, high = min(centre - half, share), max(centre + half, share)
    return Accuracy(task, baseline, share, low, high, count)


def ngram_score(language: Ngrams, task: str) -> Score:
    """The score of a pair by a 5-gram model.

    `log p(second | first)` if the two second texts differ only in a value. Otherwise
    `log p(second | first) - log p(second)`, so that a likelier text has no advantage;
    only its first four words depend on the first text.
    """

    def likelihood(pair: tuple[str, str]) -> float:
        return language.log_probability(words(pair[1]), words(pair[0]))

    def association(pair: tuple[str, str]) -> float:
        second = words(pair[1])[: ORDER - 1]
        alone = language.log_probability(second, [])
        return language.log_probability(second, words(pair[0])) - alone

    return likelihood if task in ("restated", "confused") else association


def reader(pair: tuple[str, str]) -> float:
    """No baseline: matches who passes the file to whom, and facts' values.

    It reads both from the text alone, by the generator's own phrases. So it shows how
    well a choice can be made: where it is below 1, the false text happens to fit too.
    """
    first, second = (handovers(text) for text in pair)
    follows = bool(first and second and first[-1].receiver == second[0].giver)
    back = bool(first and second and second[-1].receiver == first[0].giver)
    return float(follows - back - 10 * len(contradictions(" ".join(pair))))


def table(accuracies: Sequence[Accuracy]) -> str:
    """The accuracies as lines of text."""
    lines = [
        f"{'choice':<20}{'by':<20}{'accuracy':>9}{'95 % interval':>18}{'items':>7}"
    ]
    for row in accuracies:
        interval = f"[{row.low:.3f}, {row.high:.3f}]"
        lines.append(
            f"{row.task:<20}{row.baseline:<20}{row.accuracy:>9.3f}{interval:>18}"
            f"{row.items:>7}"
        )
    return "\n".join([*lines, f"A guess has {CHANCE}."])
