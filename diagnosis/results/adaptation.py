"""What a study of branches came to, at each budget: effects, comparisons, verdicts."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .effects import Comparison, Effects, Mix, OwnLoss, Setup, better_by
from .measures import measures, primary
from .paired import difference, own_loss
from .records import Record
from .study_table import judged

LEAST_RUNS = 2
"""Runs of a mix, and of the incumbent, that count; with fewer nothing is met."""

MOST_LOSS = 1.02
"""Highest held-out loss on the incumbent's objectives, relative to the incumbent that
goes on, at which a revision succeeds. Fixed before any run."""


class ArmRecords(NamedTuple):
    """An arm at one budget.

    Attributes:
      mix: its rates, loss shares and settings.
      records: of the runs that count, one a seed.
      drops: objective that it lacks of the revised mix; "" if none.
      adds: objective that it has beside the incumbent's; "" if none.
    """

    mix: Mix
    records: Sequence[Record]
    drops: str = ""
    adds: str = ""


class Verdict(NamedTuple):
    """Whether a mix does what was asked for.

    Attributes:
      mix: its name.
      better: for each failure, whether its primary score is better than the
        incumbent's (`effects.better_by`); None if not measured.
      own_loss: on the incumbent's objectives, relative to the incumbent.
      runs: of the mix or of the incumbent that count, whichever are fewer.
    """

    mix: str
    better: Mapping[str, bool | None]
    own_loss: OwnLoss | None
    runs: int

    @property
    def met(self) -> bool:
        """Every failure is better, at no more than `MOST_LOSS`; of none, nothing is."""
        cheap = self.own_loss is not None and self.own_loss.value <= MOST_LOSS
        enough = self.runs >= LEAST_RUNS
        better = bool(self.better) and all(self.better.values())
        return enough and cheap and better


class Budget(NamedTuple):
    """The arms of a study at one number of tokens.

    Attributes:
      effects: of every arm.
      verdicts: of every arm but the reference.
      runs: of each arm that count.
    """

    effects: Effects
    verdicts: tuple[Verdict, ...]
    runs: Mapping[str, int]


def budget(
    arms: Mapping[str, ArmRecords],
    *,
    reference: str,
    revised: str,
    corpus: str,
    tokens: int,
    command: str,
    setup: Setup,
) -> Budget:
    """The arms of a study at one number of tokens.

    Args:
      arms: by name, those without a record left out.
      reference: the arm with which all are compared: the incumbent that goes on.
      revised: the mix whose objectives are added and left out.
      corpus: name of the corpora.
      tokens: of every run.
      command: that ran the study.
      setup: what was trained.
    """
    before = arms[reference]
    shares = before.mix.loss_shares
    mixes = {}
    for name, arm in arms.items():
        found = () if name == reference else measures()
        changes = (difference(m, before.records, arm.records) for m in found)
        mixes[name] = arm.mix._replace(
            own_loss=own_loss(before.records, arm.records, shares),
            effects=tuple(e for m in measures() if (e := m.effect(arm.records))),
            differences=tuple(d for d in changes if d is not None),
        )
    pairs = [(a.adds, reference, n) for n, a in arms.items() if a.adds]
    if revised in arms:
        pairs += [(a.drops, n, revised) for n, a in arms.items() if a.drops]
    comparisons = tuple(
        _comparison(objective, without, having, arms, shares)
        for objective, without, having in pairs
    )
    effects = Effects(corpus, tokens, command, reference, mixes, setup, comparisons)
    runs = {name: len(arm.records) for name, arm in arms.items()}
    verdicts = tuple(
        _verdict(effects, name, runs=min(count, runs[reference]))
        for name, count in runs.items()
        if name != reference
    )
    return Budget(effects, verdicts, runs)


def _comparison(
    objective: str,
    without: str,
    having: str,
    arms: Mapping[str, ArmRecords],
    shares: Mapping[str, float],
) -> Comparison:
    one, other = arms[without].records, arms[having].records
    measured = (difference(measure, one, other) for measure in measures())
    return Comparison(
        objective,
        without,
        having,
        own_loss(one, other, shares),
        tuple(each for each in measured if each is not None),
    )


def _verdict(effects: Effects, name: str, *, runs: int) -> Verdict:
    better: dict[str, bool | None] = {}
    mix = effects.mixes[name]
    for failure in judged(effects):
        measure = primary()[failure]
        before = measure.of(effects.mixes[effects.incumbent])
        after = measure.of(mix)
        better[failure] = better_by(before, after, mix) if before and after else None
    return Verdict(name, better, mix.own_loss, runs)
