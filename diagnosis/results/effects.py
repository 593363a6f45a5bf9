"""The effects of the mixes of a study, compared with the incumbent at equal tokens."""

import operator
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple


class Effect(NamedTuple):
    """A mix's score on one failure.

    Attributes:
      failure: which.
      probe: its name.
      metric: of the value.
      value: mean over seeds.
      low: lowest lower end of the seeds' 95 % intervals over documents.
      high: highest upper end.
      better: whether higher or lower values are better.
      chance: chance level; None if there is none.
      seeds: number of runs.
    """

    failure: str
    probe: str
    metric: str
    value: float
    low: float
    high: float
    better: Literal["higher", "lower"]
    chance: float | None
    seeds: int


class OwnLoss(NamedTuple):
    """Held-out loss on the incumbent's objectives, relative to the incumbent.

    Weighted by the incumbent's shares of the loss: 1.02 is 2 % worse.
    """

    value: float
    low: float
    high: float


class Mix(NamedTuple):
    """A mixture of the study, and its effects.

    Attributes:
      rates: share of examples of each objective or variant.
      loss_shares: share of the loss of each objective.
      settings: of objectives and variants.
      own_loss: None if not measured.
      effects: for each failure the primary one first.
    """

    rates: Mapping[str, float]
    loss_shares: Mapping[str, float]
    settings: Mapping[str, Mapping[str, Any]]
    own_loss: OwnLoss | None
    effects: tuple[Effect, ...]

    def effect(self, failure: str) -> Effect | None:
        """The primary effect on a failure; None if not measured."""
        return next((e for e in self.effects if e.failure == failure), None)


class Effects(NamedTuple):
    """The results of a study.

    Attributes:
      corpus: name of the corpus.
      tokens: processed by each run.
      command: that ran the study.
      incumbent: name of the mix that others are compared with.
      mixes: by name; empty if no study was run.
    """

    corpus: str = ""
    tokens: int = 0
    command: str = ""
    incumbent: str = ""
    mixes: Mapping[str, Mix] = {}


def gain(effects: Effects, mix: str, failure: str) -> float | None:
    """By how much a mix beats the incumbent on a failure; positive is better.

    In units of the metric; None if either lacks the same measurement.
    """
    pair = compared(effects, mix, failure)
    if pair is None:
        return None
    more = pair[1].value - pair[0].value
    return more if pair[1].better == "higher" else -more


def is_better(effects: Effects, mix: str, failure: str) -> bool:
    """Whether a mix beats the incumbent on a failure with disjoint intervals."""
    pair = compared(effects, mix, failure)
    return pair is not None and beats(*pair)


def beats(before: Effect, after: Effect) -> bool:
    """Whether the second is better, with disjoint intervals."""
    if after.better == "higher":
        return after.low > before.high
    return after.high < before.low


def compared(effects: Effects, mix: str, failure: str) -> tuple[Effect, Effect] | None:
    """The effects of the incumbent and a mix; None unless of the same probe."""
    if effects.incumbent not in effects.mixes:
        return None
    before = effects.mixes[effects.incumbent].effect(failure)
    after = effects.mixes[mix].effect(failure)
    if before is None or after is None:
        return None
    alike = operator.attrgetter("probe", "metric", "better")
    return (before, after) if alike(before) == alike(after) else None
