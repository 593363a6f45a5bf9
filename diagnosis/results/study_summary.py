"""What a study comes to: of each mix one effect a measure, over seeds and budgets."""

from collections.abc import Mapping, Sequence
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

    def chosen(self, scores: Sequence[Score]) -> Score | None:
        """The score that this is; None if it is missing.

        One of too few documents for an interval is as good as missing.
        """
        mine = (s for s in scores if (s.failure, s.probe, s.metric, s.kind) == self)
        enough = (s for s in mine if s.documents >= LEAST and not np.isnan(s.value))
        return next(enough, None)

    def effect(self, records: Sequence[Record]) -> Effect | None:
        """This of runs of one mix at one budget; None unless all of them have it.

        The interval holds that of every seed, so two that are apart are apart for each
        pair of runs.
        """
        found = [s for r in records if (s := self.chosen(r.scores))]
        if not found or len(found) < len(records):
            return None
        chances = [s.chance for s in found if s.chance is not None]
        return Effect(
            self.failure,
            self.probe,
            self.metric,
            value=float(np.mean([s.value for s in found])),
            low=min(s.low for s in found),
            high=max(s.high for s in found),
            better=found[0].better,
            chance=float(np.mean(chances)) if chances else None,
            seeds=len(found),
        )


def by_budget(records: Sequence[Record], mix: str) -> list[list[Record]]:
    """The records of a mix at each budget of the study; none where it is not there yet.

    A run ends a batch after its budget, so that the tokens of two runs differ a little:
    runs are matched by the order of their records.
    """
    runs: dict[tuple[str, int], list[Record]] = {}
    for record in records:
        runs.setdefault((record.mix, record.seed), []).append(record)
    mine = [
        sorted(run, key=lambda r: r.tokens)
        for (name, _), run in runs.items()
        if name == mix
    ]
    budgets = max(map(len, runs.values()), default=0)
    return [[run[n] for run in mine if n < len(run)] for n in range(budgets)]


def own_loss(
    records: Sequence[Record], mix: str, *, incumbent: str, shares: Mapping[str, float]
) -> OwnLoss | None:
    """Held-out loss of the incumbent's objectives over the incumbent's own, at the end.

    The interval is that of the ratios of single runs: each of the mix to the mean of
    the incumbent's.
    """
    mine, base = (
        [
            sum(record.losses[objective] * share for objective, share in shares.items())
            for record in by_budget(records, name)[-1]
        ]
        for name in (mix, incumbent)
    )
    if not mine or not base:
        return None
    ratios = [loss / float(np.mean(base)) for loss in mine]
    return OwnLoss(float(np.mean(ratios)), min(ratios), max(ratios))


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
    shares = mixes[incumbent].loss_shares
    for name, mix in mixes.items():
        last = by_budget(records, name)[-1]
        found[name] = mix._replace(
            own_loss=own_loss(records, name, incumbent=incumbent, shares=shares),
            effects=tuple(e for m in measures if (e := m.effect(last)) is not None),
        )
    last = by_budget(records, incumbent)[-1]
    tokens = round(float(np.mean([record.tokens for record in last])))
    return Effects(corpus, tokens, command, incumbent, found)
