"""What objectives get: as in a mix of the study that was better, else by the rule.

By the rule half of the loss, and half of the slots that are processed, stay with the
customer's own objectives. The other half is divided among the failures by their
severity, and what the mixture supplies against a failure already counts. Loss and slots
get the same shares, so that an objective is weighed as it is worked for; rates follow
from slots an Example.
"""

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence

from ...models.rows import RowShape
from ...objectives import registry
from ...objectives.registry import Objective, base_name
from ...tasks.examples.mixture import Mixture, split_task
from ..causes.cause import listed, percent
from ..results.effects import Effects, Mix, compared, gain, is_better
from ..scores.complaints import LONG_NAMES
from ..scores.score import Failure
from ..scores.severity import Severity
from ..traits.objective_traits import objective_traits
from ..traits.traits import MixtureTraits
from .remedies import remedy, supply
from .revision import Part, on_top

KEPT = 0.5
"""Of loss and slots, that stay with the customer's own objectives."""

LEAST = 0.01
"""Of the loss: less than this is not worth a change."""

SUPPLIES = 0.5
"""An objective acts on a failure if so much of it does (`remedies.supply`)."""

FOLLOWED = 0.75
"""Of a mix's loss, how much must be taken over for its effects to speak for what is
proposed: by convention. What it came to was measured of all of it."""

_VARIANTS: Mapping[Failure, str] = {
    "drift": "onward",
    "continuation": "order",
    "reconstruction": "whole",
}


def by_precedent(
    mixture: Mixture,
    traits: MixtureTraits,
    effects: Effects,
    due: Sequence[Failure],
    *,
    rows: RowShape,
) -> tuple[str, list[Part]] | None:
    """The mix of the study to follow, and parts as it has them.

    It must hold every objective of the mixture, beat the study's incumbent on every
    failure with intervals that are apart, and hold an objective that acts on each; and
    these, with the mixture's own, have `FOLLOWED` of its loss. Of several, the one that
    gives up the least of the incumbent's own held-out loss; one whose loss was not
    measured comes last.

    Args:
      mixture: to revise; its objectives keep their settings.
      traits: of it.
      effects: of the study.
      due: failures to act on.
      rows: in which every slot can be asked.

    Returns:
      None where there is no such mix.
    """
    ours = {objective.base for objective in mixture.objectives().values()}
    found = []
    for name, mix in effects.mixes.items():
        mixed = {base_name(n) for n, rate in mix.rates.items() if rate > 0}
        better = due and all(is_better(effects, name, failure) for failure in due)
        if not better or not ours <= mixed:
            continue
        acting = _acting(mix, due, rows)
        taken = ours | {objective.base for _, objective in acting}
        covered = sum(s for n, s in mix.loss_shares.items() if n in taken)
        enough = covered / sum(mix.loss_shares.values()) >= FOLLOWED
        if enough and {failure for failure, _ in acting} == set(due):
            cost = mix.own_loss.value if mix.own_loss else math.inf
            gains = sum(gain(effects, name, failure) or 0.0 for failure in due)
            found.append((cost, -gains, name, acting, sorted(mixed - taken)))
    if not found:
        return None
    *_, name, acting, without = min(found, key=lambda one: one[:2])
    but = f", which was measured with {listed(map('`{}`'.format, without))}"
    origin = f"as in the study's mix `{name}`{but if without else ''}"
    told: dict[Failure, str] = {
        f: f"{origin}; {_measurement(effects, name, f)}" for f in due
    }
    return name, _as_measured(mixture, traits, effects.mixes[name], acting, told)


def _acting(
    mix: Mix, failures: Sequence[Failure], rows: RowShape
) -> list[tuple[Failure, Objective]]:
    """The objectives of a mix that act on each failure."""
    bound = [
        registry.get(name).with_settings(
            **mix.settings.get(name, mix.settings.get(base_name(name), {}))
        )
        for name, rate in mix.rates.items()
        if rate > 0
    ]
    traits = [objective_traits(objective, rows) for objective in bound]
    return [
        (failure, objective)
        for failure in failures
        for objective, one in zip(bound, traits, strict=True)
        if supply(one, failure) >= SUPPLIES
    ]


def _as_measured(
    mixture: Mixture,
    traits: MixtureTraits,
    mix: Mix,
    acting: Sequence[tuple[Failure, Objective]],
    told: Mapping[Failure, str],
) -> list[Part]:
    """Parts that bring what acts on the failures to its shares in a mix."""
    by_name: dict[str, tuple[Failure, Objective]] = {
        objective.name: (failure, objective) for failure, objective in acting
    }
    rates = {name: mix.rates[name] / sum(mix.rates.values()) for name in by_name}
    losses = {name: _loss_of(mix, name) for name in by_name}
    more_rate = _where_less(rates, traits.examples)
    more_loss = _where_less(losses, traits.loss)
    return [
        Part(
            failure,
            mixture.objectives().get(name, objective),
            rate=more_rate.get(name, 0.0),
            loss=more_loss.get(name, 0.0),
            source=f"{percent(rates[name])} of examples and {percent(losses[name])} of "
            f"loss, {told[failure]}",
        )
        for name, (failure, objective) in by_name.items()
        if name in more_rate or name in more_loss
    ]


def _where_less(
    aims: Mapping[str, float], has: Mapping[str, float]
) -> dict[str, float]:
    """What brings each share to its aim, of those that have less."""
    have = {name: has.get(name, 0.0) for name in aims}
    return on_top({name: aim for name, aim in aims.items() if aim > have[name]}, have)


def _loss_of(mix: Mix, name: str) -> float:
    """Share of the loss of an objective; variants divide it by their rates."""
    base = base_name(name)
    rates = sum(rate for n, rate in mix.rates.items() if base_name(n) == base)
    share = mix.loss_shares[base] / sum(mix.loss_shares.values())
    return share * mix.rates[name] / rates


def _measurement(effects: Effects, mix: str, failure: Failure) -> str:
    """What the whole mix came to beside the incumbent, in words."""
    pair = compared(effects, mix, failure)
    assert pair is not None  # it was better, so it was compared
    values = " → ".join(f"{e.value:.3f} [{e.low:.3f}, {e.high:.3f}]" for e in pair)
    after = pair[1]
    return (
        f"measured in the study: mix `{mix}` as a whole against `{effects.incumbent}`, "
        f"{LONG_NAMES[failure]}, {after.probe}, {after.metric} ({after.better} is "
        f"better): {values}, {after.seeds} seeds"
    )


def supplied(traits: MixtureTraits, failure: Failure) -> float:
    """Share of the loss that acts on a failure."""
    return sum(
        share * supply(traits.objectives[name], failure)
        for name, share in traits.loss.items()
    )


def by_rule(
    mixture: Mixture,
    traits: MixtureTraits,
    there: Sequence[Severity],
    due: Sequence[Failure],
    *,
    rows: RowShape,
) -> list[Part]:
    """Parts of loss and slots that bring what acts on each failure to its share.

    A failure that is there but not to be acted on keeps what it has, up to its share.

    Args:
      mixture: to revise.
      traits: of it.
      there: failures that are there.
      due: those of them to act on.
      rows: in which every slot can be asked.
    """
    total = sum(one.value for one in there) or 1.0
    have: dict[Failure, float] = {o.failure: supplied(traits, o.failure) for o in there}
    half = {one.failure: (1 - KEPT) * one.value / total for one in there}
    aims: dict[Failure, float] = {f: half[f] for f in due if half[f] - have[f] >= LEAST}
    if not aims:
        return []
    aims |= {f: own for f, own in have.items() if f not in due and 0 < own <= half[f]}
    shares = on_top(aims, have)
    chosen = {failure: _carrier(mixture, traits, failure, rows) for failure in aims}
    sizes = {f: objective_traits(o, rows).processed for f, o in chosen.items()}
    rates = {failure: shares[failure] / sizes[failure] for failure in aims}
    own = sum(s * traits.objectives[n].processed for n, s in traits.examples.items())
    examples = (1 - sum(shares.values())) / own + sum(rates.values())
    severity = {one.failure: f"{one.value:.3g} ({one.source})" for one in there}
    return [
        Part(
            failure,
            chosen[failure],
            rate=rates[failure] / examples,
            loss=shares[failure],
            source=f"rule: {percent(1 - KEPT)} of loss and slots goes to the failures "
            f"by their severity, here {severity[failure]}, so {percent(aim)}, of which "
            f"{percent(have[failure])} is there; examples by its {sizes[failure]:,.0f} "
            "slots each"
            if failure in due
            else f"rule: {percent(have[failure])} of the loss acts on it and is not "
            "lowered; no cause of it that other rates act on was found",
        )
        for failure, aim in aims.items()
    ]


def _carrier(
    mixture: Mixture, traits: MixtureTraits, failure: Failure, rows: RowShape
) -> Objective:
    """The mixture's objective that acts most on a failure, else the one to add.

    One that is added has a variant's name where the mixture has its own of the kind.
    """
    bound = mixture.objectives()
    acting = {name: supply(traits.objectives[name], failure) for name in bound}
    best = max(acting, key=acting.__getitem__)
    if acting[best] >= SUPPLIES:
        return bound[best]
    found = remedy(failure, mixture.vocabulary, rows)
    taken = {split_task(key)[1] for key in mixture.rates}
    taken |= {name for name in mixture.settings if "/" in name}
    tries = (f"{_VARIANTS[failure]}{n or ''}/{found.name}" for n in itertools.count())
    names = itertools.chain([found.name], tries)
    return dataclasses.replace(found, name=next(n for n in names if n not in taken))
