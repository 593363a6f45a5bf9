"""Objectives that may stand in for those that a proposal adds."""

from collections.abc import Iterator, Sequence

from ...models.rows import RowShape
from ...objectives import registry
from ...objectives.errors import UsageError
from ...objectives.registry import Objective
from ...tasks.examples.mixture import Mixture
from ..traits.objective_traits import Traits, objective_traits
from .remedies import remedies, supply
from .revision import Part
from .rule import SUPPLIES


def stand_ins(
    mixture: Mixture, parts: Sequence[Part], rows: RowShape
) -> Iterator[Part]:
    """For each part, those of other objectives that act on some of its failures.

    They get its share of the loss and of the slots. Settings are the mixture's, else
    those of the failure's remedies, else the objective's own.
    """
    bound = mixture.objectives()
    bases = {objective.base for objective in bound.values()}
    others = [registry.get(n) for n in registry.objectives() if n not in bases]
    plain = {o.name: _measured(o, rows) for o in (*bound.values(), *others)}
    for part in parts:
        known = {
            remedy.name: _measured(remedy, rows)
            for failure in part.failures
            for remedy in remedies(failure, mixture.vocabulary, rows)[1:]
            if remedy.base not in bases
        }
        slots = part.rate * objective_traits(part.objective, rows).processed
        for objective, traits in (plain | known).values():
            if traits is None or objective.base == part.objective.base:
                continue
            acts_on = tuple(f for f in part.failures if supply(traits, f) >= SUPPLIES)
            if acts_on:
                yield Part(
                    acts_on,
                    objective,
                    rate=min(1.0, slots / traits.processed),
                    loss=part.loss,
                    source=f"in place of `{part.objective.name}`, of whose loss and "
                    "slots it gets the share; its effect in this mix was not measured",
                )


def _measured(objective: Objective, rows: RowShape) -> tuple[Objective, Traits | None]:
    """An objective and its traits; None if it fits no window of the rows."""
    try:
        return objective, objective_traits(objective, rows)
    except UsageError:
        return objective, None
