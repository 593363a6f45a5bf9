"""What the study measured each mix to do, beside the incumbent at equal tokens."""

import operator
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from ..scores.score import Failure


class Effect(NamedTuple):
    """What a mix came to on one failure.

    Attributes:
      failure: which.
      probe: what was asked.
      metric: what the value is.
      value: mean over seeds.
      low: the lowest lower end of the seeds' 95 % intervals over documents.
      high: the highest upper end.
      better: whether more or less of it is better.
      chance: what a guess has; None where there is no such thing.
      seeds: how many runs.
    """

    failure: Failure
    probe: str
    metric: str
    value: float
    low: float
    high: float
    better: Literal["higher", "lower"]
    chance: float | None
    seeds: int


class OwnLoss(NamedTuple):
    """Held-out loss of the incumbent's objectives, over the incumbent's own.

    Weighed by the incumbent's shares of the loss: 1.02 is 2 % worse than it.
    """

    value: float
    low: float
    high: float


class Mix(NamedTuple):
    """A mixture of the study, and what it came to.

    Attributes:
      rates: share of the examples of each objective or variant.
      loss_shares: share of the loss of each objective.
      settings: of objectives and variants.
      own_loss: None where it was not measured.
      effects: of each failure, that which the memo goes by first.
    """

    rates: Mapping[str, float]
    loss_shares: Mapping[str, float]
    settings: Mapping[str, Mapping[str, Any]]
    own_loss: OwnLoss | None
    effects: tuple[Effect, ...]

    def effect(self, failure: Failure) -> Effect | None:
        """The effect on a failure that the memo goes by; None if not measured."""
        return next((e for e in self.effects if e.failure == failure), None)


class Effects(NamedTuple):
    """What a study measured.

    Attributes:
      corpus: of documents.
      tokens: processed by each run.
      command: that measured it.
      incumbent: name of the mix that others are compared with.
      mixes: by name; none where no study was run.
    """

    corpus: str = ""
    tokens: int = 0
    command: str = ""
    incumbent: str = ""
    mixes: Mapping[str, Mix] = {}


def gain(effects: Effects, mix: str, failure: Failure) -> float | None:
    """How much better than the incumbent a mix is on a failure, > 0 is better.

    In units of the metric; None where either was not measured, or not alike.
    """
    pair = compared(effects, mix, failure)
    if pair is None:
        return None
    more = pair[1].value - pair[0].value
    return more if pair[1].better == "higher" else -more


def is_better(effects: Effects, mix: str, failure: Failure) -> bool:
    """Whether a mix beats the incumbent on a failure, with intervals that are apart."""
    pair = compared(effects, mix, failure)
    return pair is not None and beats(*pair)


def beats(before: Effect, after: Effect) -> bool:
    """Whether the later one is better, with intervals that are apart."""
    if after.better == "higher":
        return after.low > before.high
    return after.high < before.low


def compared(
    effects: Effects, mix: str, failure: Failure
) -> tuple[Effect, Effect] | None:
    """What the incumbent and a mix came to; None unless both did the same probe."""
    if effects.incumbent not in effects.mixes:
        return None
    before = effects.mixes[effects.incumbent].effect(failure)
    after = effects.mixes[mix].effect(failure)
    if before is None or after is None:
        return None
    alike = operator.attrgetter("probe", "metric", "better")
    return (before, after) if alike(before) == alike(after) else None
