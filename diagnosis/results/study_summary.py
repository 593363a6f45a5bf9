"""What a study comes to: of each mix one figure a failure, over seeds and budgets."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..probes.material import LEAST
from ..scores.score import Failure, Score
from .effects import Effect, Effects, Mix, OwnLoss
from .records import Record


class Measure(NamedTuple):
    """The score that stands for a failure.

    Attributes:
      failure: which.
      probe: whose score.
      metric: of it.
      kind: of what.
    """

    failure: Failure
    probe: str
    metric: str
    kind: str = "all"


class Figure(NamedTuple):
    """A measure of one mix at one budget.

    Attributes:
      value: mean over seeds.
      low: the lowest lower end of the seeds' 95 % bootstrap intervals.
      high: the highest upper end.
      seeds: how many runs.
      chance: of a guess, where there is such a thing.
      better: whether more or less is better.
    """

    value: float
    low: float
    high: float
    seeds: int
    chance: float | None
    better: str


def figure(records: Sequence[Record], measure: Measure) -> Figure | None:
    """A measure over runs of one mix at one budget; None unless all of them have it.

    The interval holds that of every seed, so two that are apart are apart for each pair
    of runs.
    """
    found = [s for r in records if (s := chosen(r.scores, measure))]
    if not found or len(found) < len(records):
        return None
    chances = [s.chance for s in found if s.chance is not None]
    return Figure(
        float(np.mean([s.value for s in found])),
        min(s.low for s in found),
        max(s.high for s in found),
        len(found),
        float(np.mean(chances)) if chances else None,
        found[0].better,
    )


def chosen(scores: Sequence[Score], measure: Measure) -> Score | None:
    """The score that a measure is; None if it is missing.

    One of too few documents for an interval is as good as missing.
    """
    return next(
        (
            s
            for s in scores
            if Measure(s.failure, s.probe, s.metric, s.kind) == measure
            and not np.isnan(s.value)
            and s.documents >= LEAST
        ),
        None,
    )


def budgets(records: Sequence[Record]) -> list[int]:
    """The budgets that were measured, in order, each once.

    A run ends a batch after its budget, so the budget is the same to two digits of
    millions of tokens only; runs are matched by the order of their records.
    """
    return sorted({rank for rank, _ in ranked(records)})


def ranked(records: Sequence[Record]) -> list[tuple[int, Record]]:
    """Each record with its place among those of its own run."""
    runs: dict[tuple[str, int], list[Record]] = {}
    for record in records:
        runs.setdefault((record.mix, record.seed), []).append(record)
    return [
        (rank, record)
        for run in runs.values()
        for rank, record in enumerate(sorted(run, key=lambda r: r.tokens))
    ]


def at(records: Sequence[Record], mix: str, rank: int) -> list[Record]:
    """The records of a mix at a budget; a negative rank counts from the last."""
    places = budgets(records)
    return [r for n, r in ranked(records) if r.mix == mix and n == places[rank]]


def own_loss(
    records: Sequence[Record], mix: str, *, incumbent: str, shares: Mapping[str, float]
) -> OwnLoss | None:
    """Held-out loss of the incumbent's objectives over the incumbent's own, at the end.

    The interval is that of the ratios of single runs: each of the mix to the mean of
    the incumbent's.
    """
    mine, base = at(records, mix, -1), at(records, incumbent, -1)
    if not mine or not base:
        return None
    total = _by_share(shares)
    before = float(np.mean([total(r) for r in base]))
    ratios = [total(r) / before for r in mine]
    return OwnLoss(float(np.mean(ratios)), min(ratios), max(ratios))


def _by_share(shares: Mapping[str, float]) -> Callable[[Record], float]:
    return lambda record: sum(record.losses[name] * s for name, s in shares.items())


def effects(
    records: Sequence[Record],
    measures: Sequence[Measure],
    mixes: Mapping[str, Mix],
    *,
    corpus: str,
    command: str,
    incumbent: str,
) -> Effects:
    """What the memo reads: every mix at the last budget.

    Args:
      records: of all runs.
      measures: of a failure the first one is that which the memo goes by.
      mixes: rates, loss shares and settings of each.
      corpus: of documents.
      command: that measured it.
      incumbent: the mix that others are compared with.
    """
    found: dict[str, Mix] = {}
    for name, mix in mixes.items():
        runs = at(records, name, -1)
        measured = tuple(
            Effect(
                failure=measure.failure,
                probe=measure.probe,
                metric=measure.metric,
                value=f.value,
                low=f.low,
                high=f.high,
                better="higher" if f.better == "higher" else "lower",
                chance=f.chance,
                seeds=f.seeds,
            )
            for measure in measures
            if (f := figure(runs, measure)) is not None
        )
        own = own_loss(
            records, name, incumbent=incumbent, shares=mixes[incumbent].loss_shares
        )
        found[name] = mix._replace(own_loss=own, effects=measured)
    tokens = round(float(np.mean([r.tokens for r in at(records, incumbent, -1)])))
    return Effects(corpus, tokens, command, incumbent, found)
