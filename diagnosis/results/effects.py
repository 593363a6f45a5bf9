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
      differences: of its scores from the incumbent's, paired by seed; none for the
        incumbent, and where a study has one seed or judges by `effects` alone.
    """

    rates: Mapping[str, float]
    loss_shares: Mapping[str, float]
    settings: Mapping[str, Mapping[str, Any]]
    own_loss: OwnLoss | None
    effects: tuple[Effect, ...]
    differences: tuple["Difference", ...] = ()

    def effect(self, failure: str) -> Effect | None:
        """The primary effect on a failure; None if not measured."""
        return next((e for e in self.effects if e.failure == failure), None)

    def difference(self, failure: str, probe: str, metric: str) -> "Difference | None":
        """That of a score from the incumbent's; None if it was not taken."""
        wanted = failure, probe, metric
        return next((d for d in self.differences if d[:3] == wanted), None)


class Difference(NamedTuple):
    """What one objective, or a whole mix, changes in a score of a failure.

    Attributes:
      failure: which.
      probe: its name.
      metric: of the values.
      better: whether higher or lower values are better.
      without: mean over seeds of the mix without the objective, or of the incumbent.
      having: mean over seeds of the mix with it, or of the mix.
      low: lower end of the 95 % interval of `having - without`, paired by seed.
      high: upper end.
      seeds: number of pairs of runs.
    """

    failure: str
    probe: str
    metric: str
    better: Literal["higher", "lower"]
    without: float
    having: float
    low: float
    high: float
    seeds: int


class Comparison(NamedTuple):
    """Two mixes that differ in one objective, at the study's budget.

    Attributes:
      objective: its name without variant.
      without: the mix that leaves it out; its others share the rest as in `having`.
      having: the mix with it.
      own_loss: of `having` relative to `without`; None if not measured.
      differences: for each failure the primary score first.
    """

    objective: str
    without: str
    having: str
    own_loss: OwnLoss | None
    differences: tuple[Difference, ...]


class Setup(NamedTuple):
    """What a study trained: how near it is to another run is judged by this.

    Attributes:
      name: of the study and its budget, and of its file: `prose_10m_05`.
      parameters: of the model.
      architecture: of the model.
      text: what the corpus is: "a generated language", "English prose".
      original_tokens: that the checkpoint had processed from which every run began;
        None if they began from scratch.
      seeds: number of runs of each mix.
      date: when it was run, as 2026-11-23.
    """

    name: str = ""
    parameters: int = 0
    architecture: Literal["decoder", "encoder_decoder"] = "decoder"
    text: str = ""
    original_tokens: int | None = None
    seeds: int = 0
    date: str = ""


class Effects(NamedTuple):
    """The results of a study at one size and one budget.

    Attributes:
      corpus: name of the corpus.
      tokens: processed by each run; from a checkpoint, those processed since.
      command: that ran the study.
      incumbent: name of the mix that others are compared with.
      mixes: by name; empty if no study was run.
      setup: what was trained.
      comparisons: of mixes with and without one objective; of the rest, the memo finds
        those that `mixes` imply.
    """

    corpus: str = ""
    tokens: int = 0
    command: str = ""
    incumbent: str = ""
    mixes: Mapping[str, Mix] = {}
    setup: Setup = Setup()
    comparisons: tuple[Comparison, ...] = ()


def comparisons_of(
    effects: Effects, objective: str, failure: str
) -> list[tuple[Comparison, list[Difference]]]:
    """The comparisons of an objective that have scores of a failure, with these.

    Args:
      effects: of a study.
      objective: its name without variant.
      failure: that is scored; the primary score comes first.
    """
    each = [
        (comparison, [d for d in comparison.differences if d.failure == failure])
        for comparison in effects.comparisons
        if comparison.objective == objective
    ]
    return [(comparison, scores) for comparison, scores in each if scores]


def shown(difference: Difference) -> Literal["better", "worse", "no clear difference"]:
    """What a difference shows: its interval is on one side of zero, or on neither."""
    low, high = difference.low, difference.high
    if difference.better == "lower":
        low, high = -high, -low
    return "better" if low > 0 else "worse" if high < 0 else "no clear difference"


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
    """Whether a mix beats the incumbent on a failure (`better_by`)."""
    pair = compared(effects, mix, failure)
    return pair is not None and better_by(*pair, effects.mixes[mix])


def better_by(before: Effect, after: Effect, mix: Mix) -> bool:
    """Whether a mix beats the incumbent by one of its scores.

    By the interval of their difference, paired by seed, where the study took it; else
    with disjoint intervals.

    Args:
      before: the incumbent's score.
      after: the mix's, of the same metric.
      mix: it.
    """
    difference = mix.difference(*after[:3])
    return beats(before, after) if difference is None else shown(difference) == "better"


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
