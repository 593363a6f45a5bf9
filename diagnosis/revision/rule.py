"""The shares of objectives: as in a better mix of the study, else by a rule.

By the rule, the present objectives keep half of the loss and of the processed slots.
The other half is divided among the failures by severity, less what the mixture already
supplies. Loss and slots get equal shares, so that weight in the loss matches compute;
rates of examples follow from the slots of an Example.
"""

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence

from ...models.rows import RowShape
from ...objectives import registry
from ...objectives.registry import Objective, base_name, variant_share
from ...tasks.examples.mixture import Mixture, split_task
from ..failures.registry import get
from ..findings.severity import Severity
from ..results.effects import Effects, Mix, compared, gain, is_better
from ..traits.objective_traits import objective_traits
from ..traits.traits import MixtureTraits
from ..wording import listed, percent
from .remedies import remedy, supply
from .revision import Part, on_top

KEPT = 0.5
"""Share of loss and slots that the present objectives keep."""

LEAST = 0.01
"""Share of the loss below which a change is not worthwhile."""

SUPPLIES = 0.5
"""Least `remedies.supply` of an objective that acts on a failure."""

FOLLOWED = 0.75
"""Share of a mix's loss that a proposal must adopt to follow it: a convention. Its
effects were measured on all of it."""


def by_precedent(
    mixture: Mixture,
    traits: MixtureTraits,
    effects: Effects,
    due: Sequence[str],
    *,
    rows: RowShape,
) -> tuple[str, list[Part]] | None:
    """The mix of the study to follow, and the parts that it implies.

    It must contain every objective of the mixture, beat the study's incumbent on every
    failure (`better_by`), and contain an objective that acts on each; these and the
    mixture's own must have `FOLLOWED` of its loss. Of several, the one with the lowest
    held-out loss on the incumbent's objectives; unmeasured ones come last.

    Args:
      mixture: to revise; its objectives keep their settings.
      traits: of the mixture.
      effects: of the study.
      due: failures to act on.
      rows: in which every slot may predict.

    Returns:
      None if there is no such mix.
    """
    own_bases = {objective.base for objective in mixture.objectives().values()}
    candidates = []
    for name, mix in effects.mixes.items():
        bases = {base_name(n) for n, rate in mix.rates.items() if rate > 0}
        better = due and all(is_better(effects, name, failure) for failure in due)
        if not better or not own_bases <= bases:
            continue
        acting = _acting(mix, due, rows)
        covered = own_bases | {objective.base for _, objective in acting}
        share = sum(s for n, s in mix.loss_shares.items() if n in covered)
        enough = share / sum(mix.loss_shares.values()) >= FOLLOWED
        if enough and {failure for failure, _ in acting} == set(due):
            cost = mix.own_loss.value if mix.own_loss else math.inf
            gains = sum(gain(effects, name, failure) or 0.0 for failure in due)
            candidates.append((cost, -gains, name, acting, sorted(bases - covered)))
    if not candidates:
        return None
    *_, name, acting, missing = min(candidates, key=lambda candidate: candidate[:2])
    caveat = f", which was measured with {listed(map('`{}`'.format, missing))}"
    origin = f"as in the study's mix `{name}`{caveat if missing else ''}"
    seen: dict[str, str] = {f: _measurement(effects, name, f) for f in due}
    parts = _as_measured(mixture, traits, effects.mixes[name], acting, origin, seen)
    return name, parts


def _acting(
    mix: Mix, failures: Sequence[str], rows: RowShape
) -> list[tuple[str, Objective]]:
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
        for objective, traits_of in zip(bound, traits, strict=True)
        if supply(traits_of, failure) >= SUPPLIES
    ]


def _as_measured(
    mixture: Mixture,
    traits: MixtureTraits,
    mix: Mix,
    acting: Sequence[tuple[str, Objective]],
    origin: str,
    measured: Mapping[str, str],
) -> list[Part]:
    """Parts that give the acting objectives their shares in a mix."""
    bound = {objective.name: objective for _, objective in acting}
    rates = {name: mix.rates[name] / sum(mix.rates.values()) for name in bound}
    total = sum(mix.loss_shares.values())
    shares = {name: share / total for name, share in mix.loss_shares.items()}
    losses = {name: variant_share(name, shares, mix.rates) for name in bound}
    more_rate = _where_less(rates, traits.examples)
    more_loss = _where_less(losses, traits.loss)
    failures = {
        name: tuple(failure for failure, one in acting if one.name == name)
        for name in bound
    }
    return [
        Part(
            failures[name],
            mixture.objectives().get(name, objective),
            rate=more_rate.get(name, 0.0),
            loss=more_loss.get(name, 0.0),
            source=f"{percent(rates[name])} of examples and {percent(losses[name])} of "
            f"loss, {origin}; {'; '.join(measured[f] for f in failures[name])}",
        )
        for name, objective in bound.items()
        if name in more_rate or name in more_loss
    ]


def _where_less(
    aims: Mapping[str, float], current: Mapping[str, float]
) -> dict[str, float]:
    """The additions that bring shares below their aim to it."""
    present = {name: current.get(name, 0.0) for name in aims}
    return on_top(
        {name: aim for name, aim in aims.items() if aim > present[name]}, present
    )


def _measurement(effects: Effects, mix: str, failure: str) -> str:
    """The measured effect of the whole mix against the incumbent, in words."""
    pair = compared(effects, mix, failure)
    assert pair is not None  # it was better, so it was compared
    values = " → ".join(f"{e.value:.3f} [{e.low:.3f}, {e.high:.3f}]" for e in pair)
    after = pair[1]
    return (
        f"measured in the study: mix `{mix}` as a whole against `{effects.incumbent}`, "
        f"{get(failure).title}, {after.probe}, {after.metric} ({after.better} is "
        f"better): {values}, {after.seeds} seeds"
    )


def supplied(traits: MixtureTraits, failure: str) -> float:
    """Share of the loss that acts on a failure."""
    return sum(
        share * supply(traits.objectives[name], failure)
        for name, share in traits.loss.items()
    )


def parts_of(present: Sequence[Severity]) -> dict[str, float]:
    """Share of the loss that each failure has a right to by the rule."""
    total = sum(s.value for s in present) or 1.0
    return {s.failure: (1 - KEPT) * s.value / total for s in present}


def by_rule(
    mixture: Mixture,
    traits: MixtureTraits,
    present: Sequence[Severity],
    due: Sequence[str],
    *,
    rows: RowShape,
) -> list[Part]:
    """Parts that bring the supervision against each failure to its share.

    A failure that is present but not acted on keeps what it has, up to its share.

    Args:
      mixture: to revise.
      traits: of the mixture.
      present: failures with their severity.
      due: those of them to act on.
      rows: in which every slot may predict.
    """
    current: dict[str, float] = {
        s.failure: supplied(traits, s.failure) for s in present
    }
    half = parts_of(present)
    aims: dict[str, float] = {f: half[f] for f in due if half[f] - current[f] >= LEAST}
    if not aims:
        return []
    aims |= {
        f: share
        for f, share in current.items()
        if f not in due and 0 < share <= half[f]
    }
    carriers = _carriers(mixture, traits, list(aims), rows)
    # What an objective trains acts on all of its failures: the one that lacks most
    # decides how much.
    leads = {
        objective: max(failures, key=lambda f: aims[f] - current[f])
        for objective, failures in carriers.items()
    }
    shares = on_top(
        {o.name: aims[lead] for o, lead in leads.items()},
        {o.name: current[lead] for o, lead in leads.items()},
    )
    sizes = {o.name: objective_traits(o, rows).processed for o in carriers}
    rates = {name: share / sizes[name] for name, share in shares.items()}
    own_slots = sum(
        s * traits.objectives[n].processed for n, s in traits.examples.items()
    )
    examples = (1 - sum(shares.values())) / own_slots + sum(rates.values())
    reasons = {s.failure: f"{s.value:.3g} ({s.source})" for s in present}

    def source(failure: str, slots: float) -> str:
        there, aim = percent(current[failure]), percent(aims[failure])
        if failure in due:
            return (
                f"rule: {percent(1 - KEPT)} of loss and slots goes to the failures by "
                f"their severity, here {reasons[failure]}, so {aim}, of which {there} "
                f"is there; examples by its {slots:,.0f} slots each"
            )
        return (
            f"rule: {there} of the loss acts on it and is not lowered; no cause of it "
            "that other rates act on was found"
        )

    return [
        Part(
            tuple(sorted(failures, key=lambda f: f != leads[objective])),
            objective,
            rate=rates[objective.name] / examples,
            loss=shares[objective.name],
            source=source(leads[objective], sizes[objective.name]),
        )
        for objective, failures in carriers.items()
    ]


def _carriers(
    mixture: Mixture, traits: MixtureTraits, failures: Sequence[str], rows: RowShape
) -> dict[Objective, list[str]]:
    """The objectives that are to act on failures, and on which of them each is."""
    found: dict[Objective, list[str]] = {}
    for failure in failures:
        carrier = _carrier(mixture, traits, failure, rows, chosen=list(found))
        found.setdefault(carrier, []).append(failure)
    return found


def _carrier(
    mixture: Mixture,
    traits: MixtureTraits,
    failure: str,
    rows: RowShape,
    *,
    chosen: Sequence[Objective],
) -> Objective:
    """The mixture's objective that acts most on a failure, else the one to add.

    An added one is named as a variant if the mixture already uses its name, or one that
    was chosen for another failure does, with other settings.
    """
    bound = mixture.objectives()
    acting = {name: supply(traits.objectives[name], failure) for name in bound}
    best = max(acting, key=acting.__getitem__)
    if acting[best] >= SUPPLIES:
        return bound[best]
    added = remedy(failure, mixture.vocabulary, rows)
    wanted = added.base, added.settings
    for one in chosen:
        if one.name not in bound and (one.base, one.settings) == wanted:
            return one
    taken = {split_task(key)[1] for key in mixture.rates}
    taken |= {name for name in mixture.settings if "/" in name}
    taken |= {objective.name for objective in chosen}
    variant_names = (
        f"{get(failure).variant}{n or ''}/{added.name}" for n in itertools.count()
    )
    names = itertools.chain([added.name], variant_names)
    return dataclasses.replace(added, name=next(n for n in names if n not in taken))
