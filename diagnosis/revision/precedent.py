"""Which mix of the study speaks for a revision of a mixture, if one does."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...models.rows import RowShape
from ...objectives import registry
from ...objectives.registry import Objective, base_name
from ...tasks.examples.mixture import Mixture
from ..causes.cause import listed, percent
from ..results.effects import Effects, Mix, compared, gain, is_better
from ..scores.complaints import LONG_NAMES
from ..scores.score import Failure
from ..traits.objective_traits import objective_traits
from ..traits.traits import MixtureTraits
from .remedies import supply
from .revision import Part

SUPPLIES = 0.5
"""An objective acts on a failure if so much of it does (`remedies.supply`)."""

FOLLOWED = 0.75
"""Of a mix's loss, how much must be taken over for its effects to speak for what is
proposed: by convention. What it came to was measured of all of it."""


class Precedent(NamedTuple):
    """A mix of the study that was better on every failure in question.

    Attributes:
      mix: its name.
      objectives: of it, those that act on each failure.
      without: of it, those that are not taken over, as they act on other failures.
    """

    mix: str
    objectives: Mapping[Failure, tuple[Objective, ...]]
    without: tuple[str, ...]


def precedent(
    mixture: Mixture,
    rows: RowShape,
    failures: Sequence[Failure],
    effects: Effects,
) -> Precedent | None:
    """The mix to follow: measured, better on all the failures, and the cheapest.

    It must hold every objective of the mixture, beat the study's incumbent on every
    failure with intervals that are apart, and hold an objective that acts on each; and
    these, with the mixture's own, have `FOLLOWED` of its loss. Of several, the one that
    gives up the least of the incumbent's own held-out loss; one whose loss was not
    measured comes last.

    Args:
      mixture: to revise.
      rows: that its Examples fill.
      failures: to act on.
      effects: of the study.

    Returns:
      None where there is no such mix.
    """
    ours = {objective.base for objective in mixture.objectives().values()}
    candidates: list[tuple[float, float, Precedent]] = []
    for name, mix in effects.mixes.items():
        mixed = {base_name(n) for n, rate in mix.rates.items() if rate > 0}
        better = all(is_better(effects, name, failure) for failure in failures)
        if name == effects.incumbent or not ours <= mixed or not better:
            continue
        acting = _acting(effects, name, failures, rows)
        taken = {o.base for objectives in acting.values() for o in objectives} | ours
        total = sum(mix.loss_shares.values())
        covered = sum(s for n, s in mix.loss_shares.items() if n in taken) / total
        if all(acting.values()) and covered >= FOLLOWED:
            gains = sum(gain(effects, name, failure) or 0.0 for failure in failures)
            cost = mix.own_loss.value if mix.own_loss else math.inf
            without = tuple(sorted(mixed - taken))
            candidates.append((cost, -gains, Precedent(name, acting, without)))
    return min(candidates, key=lambda one: one[:2])[2] if candidates else None


def as_measured(
    mixture: Mixture, traits: MixtureTraits, followed: Precedent, effects: Effects
) -> list[Part]:
    """Parts that bring what acts on the failures to its shares in the study's mix.

    Args:
      mixture: to revise; its objectives keep their settings.
      traits: of it.
      followed: the mix.
      effects: of the study.
    """
    mix = effects.mixes[followed.mix]
    acting: dict[str, tuple[Failure, Objective]] = {
        objective.name: (failure, objective)
        for failure, objectives in followed.objectives.items()
        for objective in objectives
    }
    bound = mixture.objectives()
    rates = {name: mix.rates[name] / sum(mix.rates.values()) for name in acting}
    losses = {name: _loss_of(mix, name) for name in acting}
    rate_parts = _on_top(rates, {n: traits.examples.get(n, 0.0) for n in acting})
    loss_parts = _on_top(losses, {n: traits.loss.get(n, 0.0) for n in acting})
    return [
        Part(
            failure,
            bound.get(name, objective),
            rate=rate_parts[name],
            loss=loss_parts[name],
            source=f"{percent(rates[name])} of examples and {percent(losses[name])} of "
            f"loss, as in the study's mix `{followed.mix}`{_but(followed)}; "
            + measurement(effects, followed.mix, failure),
        )
        for name, (failure, objective) in acting.items()
        if rate_parts[name] > 0 or loss_parts[name] > 0
    ]


def _but(followed: Precedent) -> str:
    if not followed.without:
        return ""
    return f", which was measured with {listed(map('`{}`'.format, followed.without))}"


def _on_top(aims: Mapping[str, float], have: Mapping[str, float]) -> dict[str, float]:
    """What brings each share from what it has to its aim, where it has less."""
    lacking = [name for name, aim in aims.items() if aim > have[name]]
    left = 1 - sum(have[name] for name in lacking)
    kept = (1 - sum(aims[name] for name in lacking)) / left if left else 0.0
    return {n: aims[n] - kept * have[n] if n in lacking else 0.0 for n in aims}


def _loss_of(mix: Mix, name: str) -> float:
    """Share of the loss of an objective; variants divide it by their rates."""
    base = base_name(name)
    rates = sum(rate for n, rate in mix.rates.items() if base_name(n) == base)
    share = mix.loss_shares[base] / sum(mix.loss_shares.values())
    return share * mix.rates[name] / rates


def measurement(effects: Effects, mix: str, failure: Failure) -> str:
    """What the whole mix came to beside the incumbent, in words."""
    pair = compared(effects, mix, failure)
    if pair is None:
        return f"{LONG_NAMES[failure]} was not measured in the study's mix `{mix}`"
    before, after = pair
    values = " → ".join(f"{e.value:.3f} [{e.low:.3f}, {e.high:.3f}]" for e in pair)
    probe = f"{after.probe}, {after.metric} ({before.better} is better)"
    return (
        f"measured in the study: mix `{mix}` as a whole against `{effects.incumbent}`, "
        f"{LONG_NAMES[failure]}, {probe}: {values}, {after.seeds} seeds"
    )


def _acting(
    effects: Effects, name: str, failures: Sequence[Failure], rows: RowShape
) -> dict[Failure, tuple[Objective, ...]]:
    """The objectives of a mix that act on each failure."""
    mix = effects.mixes[name]
    bound = [
        registry.get(n).with_settings(
            **mix.settings.get(n, mix.settings.get(base_name(n), {}))
        )
        for n, rate in mix.rates.items()
        if rate > 0
    ]
    measured = [(objective, objective_traits(objective, rows)) for objective in bound]
    return {
        failure: tuple(o for o, t in measured if supply(t, failure) >= SUPPLIES)
        for failure in failures
    }
