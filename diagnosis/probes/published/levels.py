"""Scores at each level of a test, with intervals over questions within groups."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from ...scores.score import RESAMPLES
from .published_test import Measured, PublishedTest, Question


class Level(NamedTuple):
    """A metric of the questions of one kind.

    Attributes:
      level: "all", or one of the test's levels.
      kind: of questions at it.
      value: of the metric; NaN without questions.
      low: lower end of its 95 % interval.
      high: upper end.
      items: questions that were asked.
      left_out: questions that were not, since they do not fit rows.
      asked: which were asked, of all.
    """

    level: str
    kind: str
    value: float
    low: float
    high: float
    items: int
    left_out: int
    asked: Bool[np.ndarray, " N"]


def levels(
    test: PublishedTest, questions: Sequence[Question], measured: Measured, *, seed: int
) -> Iterator[Level]:
    """A metric of all questions, then of each kind at each level, coarsest first.

    Intervals are percentiles of a bootstrap in which each group keeps its size: the
    questions of a group are alike, and its kinds are not a sample of others.

    Args:
      test: says how groups are averaged.
      questions: that were drawn.
      measured: of each question.
      seed: of the resamples.
    """
    asked = ~np.isnan(measured.amount)
    sums = _resampled(questions, measured, asked, seed=seed)
    for level, kind, member in _kinds(test, questions):
        groups = dict.fromkeys(
            question.kinds[0]
            for question, belongs in zip(questions, member & asked, strict=True)
            if belongs
        )
        drawn = np.stack([sums[group] for group in groups]) if groups else None
        values = _ratio(drawn, test) if drawn is not None else np.full(2, np.nan)
        low, high = np.percentile(values[1:], (2.5, 97.5))
        yield Level(
            level,
            kind,
            float(values[0]),
            float(low),
            float(high),
            items=int((member & asked).sum()),
            left_out=int((member & ~asked).sum()),
            asked=member & asked,
        )


def mean_of(
    test: PublishedTest,
    questions: Sequence[Question],
    amounts: Float64[np.ndarray, " N"],
    member: Bool[np.ndarray, " N"],
) -> float:
    """The mean of some questions' amounts, averaged over groups as the test does."""
    if not member.any():
        return float("nan")
    if test.average == "items":
        return float(amounts[member].mean())
    _, group = np.unique([q.kinds[0] for q in questions], return_inverse=True)
    sums = np.bincount(group[member], amounts[member])
    sizes = np.bincount(group[member])
    return float((sums[sizes > 0] / sizes[sizes > 0]).mean())


def _kinds(
    test: PublishedTest, questions: Sequence[Question]
) -> Iterator[tuple[str, str, Bool[np.ndarray, " N"]]]:
    yield "all", "all", np.ones(len(questions), bool)
    for depth in reversed(range(len(test.levels))):
        own = np.array([question.kinds[depth] for question in questions], object)
        for kind in dict.fromkeys(own.tolist()):
            yield test.levels[depth], kind, own == kind


def _resampled(
    questions: Sequence[Question],
    measured: Measured,
    asked: Bool[np.ndarray, " N"],
    *,
    seed: int,
) -> Mapping[str, Float64[np.ndarray, "2 R"]]:
    """The sums of amounts and sizes of each group; the first is not resampled."""
    places: dict[str, list[int]] = {}
    for number, question in enumerate(questions):
        if asked[number]:
            places.setdefault(question.kinds[0], []).append(number)
    sums = {}
    for group, own in places.items():
        rng = np.random.default_rng([seed, *group.encode()])
        chosen: Int64[np.ndarray, "R n"] = rng.integers(
            len(own), size=(RESAMPLES, len(own))
        )
        index = np.concatenate([np.arange(len(own))[None], chosen])
        of_group = np.stack([measured.amount[own], measured.size[own]])
        sums[group] = of_group[:, index].sum(-1)
    return sums


def _ratio(
    drawn: Float64[np.ndarray, "G 2 R"], test: PublishedTest
) -> Float64[np.ndarray, " R"]:
    """The metric of each resample, over the groups of one kind."""
    if test.average == "items":
        amount, size = drawn.sum(0)
        return amount / size
    return (drawn[:, 0] / drawn[:, 1]).mean(0)
