"""Objectives that may stand in for those that a proposal adds."""

from collections.abc import Iterator, Sequence

from ...models.rows import RowShape
from ...objectives import registry
from ...objectives.errors import UsageError
from ...tasks.examples.mixture import Mixture
from ..traits.objective_traits import objective_traits
from .remedies import remedies, supply
from .revision import Part
from .rule import SUPPLIES


def stand_ins(
    mixture: Mixture, parts: Sequence[Part], rows: RowShape
) -> Iterator[Part]:
    """For each part, those of other objectives that act on the same failure.

    They get its share of the loss and of the slots.
    """
    bound = mixture.objectives()
    bases = {objective.base for objective in bound.values()}
    others = {n: registry.get(n) for n in registry.objectives() if n not in bases}
    for part in parts:
        known = remedies(part.failure, mixture.vocabulary, rows)
        candidates = bound | others | {o.name: o for o in known if o.base not in bases}
        slots = part.rate * objective_traits(part.objective, rows).processed
        for objective in candidates.values():
            if objective.base == part.objective.base:
                continue
            try:
                traits = objective_traits(objective, rows)
            except UsageError:  # it fits no window of these rows
                continue
            if supply(traits, part.failure) >= SUPPLIES:
                yield Part(
                    part.failure,
                    objective,
                    rate=min(1.0, slots / traits.processed),
                    loss=part.loss,
                    source=f"in place of `{part.objective.name}`, of whose loss and "
                    "slots it gets the share; no effect of it was measured",
                )
