"""The rule for shares where no mix of the study speaks for the mixture.

Half of the loss, and half of the slots that are processed, stay with the customer's own
objectives. The other half is divided among the failures by their severity, and what the
mixture supplies against a failure already counts. Loss and slots get the same shares,
so that an objective is weighed as it is worked for; rates follow from slots an Example.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from ...models.rows import RowShape
from ...objectives.registry import Objective
from ...tasks.examples.mixture import Mixture
from ..causes.cause import percent
from ..scores.score import Failure
from ..scores.severity import Severity
from ..traits.objective_traits import objective_traits
from ..traits.traits import MixtureTraits
from .precedent import SUPPLIES
from .remedies import remedy, supply
from .revision import Part, free_name

KEPT = 0.5
"""Of loss and slots, that stay with the customer's own objectives."""

LEAST = 0.01
"""Of the loss: less than this is not worth a change."""

_VARIANTS: Mapping[Failure, str] = {
    "drift": "onward",
    "continuation": "order",
    "reconstruction": "whole",
}


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
    have = {one: supplied(traits, one.failure) for one in there}
    aims = {one: (1 - KEPT) * one.value / total for one in there}
    lacks = {one: aims[one] - have[one] for one in there if one.failure in due}
    aims |= {o: have[o] for o in there if o not in lacks and have[o] <= aims[o]}
    given = [one for one in there if lacks.get(one, 0.0) >= LEAST]
    if not given:
        return []
    given += [one for one in there if one not in lacks and 0 < have[one] <= aims[one]]
    # What is added takes from what is there alike, also from what counts already.
    left = 1 - sum(have[one] for one in given)
    kept = (1 - sum(aims[one] for one in given)) / left
    chosen = {one: _carrier(mixture, traits, one.failure, rows) for one in given}
    shares = {one: aims[one] - kept * have[one] for one in given}
    sizes = {one: objective_traits(o, rows).processed for one, o in chosen.items()}
    own = sum(s * traits.objectives[n].processed for n, s in traits.examples.items())
    examples = kept / own + sum(shares[one] / sizes[one] for one in given)
    return [
        Part(
            one.failure,
            objective,
            rate=shares[one] / sizes[one] / examples,
            loss=shares[one],
            source=_ruled(one, aims[one], have[one])
            + f"; examples by its {sizes[one]:,.0f} slots each"
            if one in lacks
            else f"rule: {percent(have[one])} of the loss acts on it and is not "
            "lowered; no cause of it that other rates act on was found",
        )
        for one, objective in chosen.items()
    ]


def _carrier(
    mixture: Mixture, traits: MixtureTraits, failure: Failure, rows: RowShape
) -> Objective:
    """The mixture's objective that acts most on a failure, else the one to add."""
    bound = mixture.objectives()
    acting = {name: supply(traits.objectives[name], failure) for name in bound}
    best = max(acting, key=lambda name: acting[name])
    if acting[best] >= SUPPLIES:
        return bound[best]
    found = remedy(failure, mixture.vocabulary, rows)
    name = free_name(mixture, found, _VARIANTS[failure])
    return dataclasses.replace(found, name=name)


def _ruled(one: Severity, aim: float, have: float) -> str:
    return (
        f"rule: {percent(1 - KEPT)} of loss and slots goes to the failures by their "
        f"severity, here {one.value:.3g} ({one.source}), so {percent(aim)}, of which "
        f"{percent(have)} is there"
    )
