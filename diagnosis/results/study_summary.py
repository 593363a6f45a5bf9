"""Summarises a study: an effect of each mix and measure, over seeds and budgets."""

from collections.abc import Mapping, Sequence

import numpy as np

from .effects import Effects, Mix, OwnLoss, Setup
from .measures import Measure
from .paired import difference
from .records import Record


def by_budget(records: Sequence[Record], mix: str) -> list[list[Record]]:
    """The records of a mix at each budget; empty where it has not got so far.

    Tokens differ slightly between runs, since each stops after the batch that reaches
    the budget; records are matched by their order.
    """
    runs: dict[tuple[str, int], list[Record]] = {}
    for record in records:
        runs.setdefault((record.mix, record.seed), []).append(record)
    runs_of_mix = [
        sorted(run, key=lambda r: r.tokens)
        for (name, _), run in runs.items()
        if name == mix
    ]
    budgets = max(map(len, runs.values()), default=0)
    return [[run[n] for run in runs_of_mix if n < len(run)] for n in range(budgets)]


def own_loss(
    records: Sequence[Record], mix: str, *, incumbent: str, shares: Mapping[str, float]
) -> OwnLoss | None:
    """Final held-out loss on the incumbent's objectives, relative to the incumbent.

    The interval spans the ratios of single runs of the mix to the incumbent's mean.
    """
    losses, incumbent_losses = (
        [
            sum(record.losses[objective] * share for objective, share in shares.items())
            for record in by_budget(records, name)[-1]
        ]
        for name in (mix, incumbent)
    )
    if not losses or not incumbent_losses:
        return None
    ratios = [loss / float(np.mean(incumbent_losses)) for loss in losses]
    return OwnLoss(float(np.mean(ratios)), min(ratios), max(ratios))


def effects(
    records: Sequence[Record],
    measures: Sequence[Measure],
    mixes: Mapping[str, Mix],
    *,
    corpus: str,
    command: str,
    incumbent: str,
    setup: Setup,
) -> Effects:
    """The effects of every mix at the last budget.

    Args:
      records: of all runs.
      measures: the first one of a failure is primary.
      mixes: rates, loss shares and settings of each.
      corpus: name of the corpora.
      command: that ran the study.
      incumbent: the mix that others are compared with.
      setup: what was trained.
    """
    measured: dict[str, Mix] = {}
    shares = mixes[incumbent].loss_shares
    before = by_budget(records, incumbent)[-1]
    for name, mix in mixes.items():
        last = by_budget(records, name)[-1]
        found = () if name == incumbent else measures
        changes = (difference(m, before, last) for m in found)
        measured[name] = mix._replace(
            own_loss=own_loss(records, name, incumbent=incumbent, shares=shares),
            effects=tuple(e for m in measures if (e := m.effect(last)) is not None),
            differences=tuple(d for d in changes if d is not None),
        )
    tokens = round(float(np.mean([record.tokens for record in before])))
    return Effects(corpus, tokens, command, incumbent, measured, setup)
