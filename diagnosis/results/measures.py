"""The scores by which a study judges mixes: the figures that failures state."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..failures.registry import failures
from ..probes.material import LEAST
from ..probes.published.published_test import PublishedScore
from ..scores.score import Score
from .effects import Effect, Mix
from .records import Record


class Measure(NamedTuple):
    """The score that stands for a failure.

    Attributes:
      failure: which.
      probe: its name.
      metric: of the probe.
      kind: of items.
    """

    failure: str
    probe: str
    metric: str
    kind: str = "all"

    def chosen(self, scores: Sequence[Score]) -> Score | None:
        """The matching score; None if it is missing or from too few documents."""
        matching = (s for s in scores if (s.failure, s.probe, s.metric, s.kind) == self)
        enough = (s for s in matching if s.documents >= LEAST and not np.isnan(s.value))
        return next(enough, None)

    def effect(self, records: Sequence[Record]) -> Effect | None:
        """Combines runs of one mix at one budget; None unless all have the score."""
        scores = [s for r in records if (s := self.chosen(r.scores))]
        if not scores or len(scores) < len(records):
            return None
        return combined(self.failure, self.probe, self.metric, scores)

    def of(self, mix: Mix) -> Effect | None:
        """What a mix came to by this measure; None if it was not measured."""
        return next((effect for effect in mix.effects if effect[:3] == self[:3]), None)


def combined(
    failure: str, probe: str, metric: str, scores: Sequence[Score | PublishedScore]
) -> Effect:
    """The effect of runs of one mix at one budget, one score each.

    The interval spans those of all seeds, so if two are disjoint, they are so for each
    pair of runs.
    """
    chances = [s.chance for s in scores if s.chance is not None]
    return Effect(
        failure,
        probe,
        metric,
        value=float(np.mean([s.value for s in scores])),
        low=min(s.low for s in scores),
        high=max(s.high for s in scores),
        better=scores[0].better,
        chance=float(np.mean(chances)) if chances else None,
        seeds=len(scores),
    )


def measures() -> tuple[Measure, ...]:
    """Those of every failure, a user's among them."""
    return tuple(
        Measure(failure.name, *figure)
        for failure in failures().values()
        for figure in failure.figures
    )


def primary() -> dict[str, Measure]:
    """The first measure of each failure."""
    return {
        name: Measure(name, *failure.figures[0]) for name, failure in failures().items()
    }
