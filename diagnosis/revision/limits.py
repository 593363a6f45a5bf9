"""What a team can afford of a revision.

A limit is kept by the proposal, not by what is measured of a run of it afterwards.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ...models.rows import RowShape
from ...objectives import registry
from ...objectives.errors import UsageError, nearest, require_count, require_number
from ...objectives.registry import base_name
from ..traits.objective_traits import Traits

RowCost = Callable[[RowShape], float]
"""Operations of the model for a row, filled or not."""


class Limits(NamedTuple):
    """What a proposal may not exceed. A name stands for an objective or a variant; that
    of an objective for all its variants.

    Attributes:
      most_new: objectives and variants, at most, that the mixture does not have; a
        variant with settings of its own counts. None for any number.
      keep: objectives that keep at least the share of the examples, and the share of
        the loss, that they have. Other present objectives give way before them, but to
        no less of the loss than the proposal without limits leaves them.
      most_cost: the cost of a processed token, at most, relative to now: operations of
        the model for a row, over the slots of it that Examples fill (`token_cost`).
        None for any cost.
      without: objectives that the proposal may not have, present ones included.
    """

    most_new: int | None = None
    keep: tuple[str, ...] = ()
    most_cost: float | None = None
    without: tuple[str, ...] = ()

    def each(self) -> Iterator[tuple[str, "Limits"]]:
        """Each limit alone, after the option that asks for it."""
        if self.most_new is not None:
            yield f"--most_new={self.most_new}", Limits(most_new=self.most_new)
        for name in self.keep:
            yield f"--keep={name}", Limits(keep=(name,))
        if self.most_cost is not None:
            yield f"--most_cost={self.most_cost:g}", Limits(most_cost=self.most_cost)
        for name in self.without:
            yield f"--without={name}", Limits(without=(name,))

    @property
    def text(self) -> str:
        """The options that ask for them: `--most_new=1 --without=causal`."""
        return " ".join(option for option, _ in self.each())

    def keeps(self, name: str) -> bool:
        """Whether an objective or a variant keeps its share."""
        return name in self.keep or base_name(name) in self.keep

    def excludes(self, name: str) -> bool:
        """Whether an objective or a variant is ruled out."""
        return name in self.without or base_name(name) in self.without


NO_LIMITS = Limits()
"""Anything can be afforded."""


def check(limits: Limits, present: Sequence[str], row_cost: RowCost | None) -> None:
    """Refuses limits that no mixture could keep, before anything is measured.

    Args:
      limits: of a proposal.
      present: objectives and variants that the mixture has.
      row_cost: of the model; None if it is not known.

    Raises:
      UsageError: a number is out of range, a name is unknown or not in the mixture,
        limits contradict each other, or the cost is limited and the model not known.
        The message says which, and what would do.
    """
    if limits.most_new is not None:
        require_count("--most_new", limits.most_new, least=0)
    if limits.most_cost is not None:
        require_number("--most_cost", limits.most_cost, least=1.0)
        if row_cost is None:
            raise UsageError(
                f"--most_cost={limits.most_cost:g} counts operations of the model, and "
                "none is bound; give a run's directory, or with the mixture a gin file "
                "of a run, such as --gin_file=any_mixture.gin."
            )
    had = {*present, *map(base_name, present)}
    for name in limits.keep:
        if name not in had:
            raise UsageError(
                f"--keep={name}: the mixture has no such objective to keep; "
                + nearest(name, had)
            )
    known = {*registry.objectives(), *had}
    for name in limits.without:
        if name not in known:
            raise UsageError(
                f"--without={name}: no such objective; {nearest(name, known)}"
            )
    for name in filter(limits.excludes, present):
        if limits.keeps(name):
            raise UsageError(
                f"--keep and --without clash: both cover {name!r}; leave one out."
            )


def token_cost(row_cost: RowCost, rows: RowShape, density: float) -> float:
    """Operations for each slot that Examples fill, if packing wastes no other.

    A row is full when its slots or its predictions are, so that Examples which predict
    more than it has room for leave slots empty. Both streams of an encoder–decoder
    count together.

    Args:
      row_cost: operations for a row.
      rows: slots and predictions.
      density: supervised tokens a processed token of the mixture.
    """
    slots, predictions = sizes(rows)
    filled = min(slots, predictions / density) if density else slots
    return row_cost(rows) / filled


def sizes(rows: RowShape) -> tuple[int, int]:
    """Slots and predictions of a row, in every stream."""
    streams = [stream for stream in (rows.decoder, rows.encoder) if stream is not None]
    return sum(s.slots for s in streams), sum(s.predictions for s in streams)


def density(examples: Mapping[str, float], traits: Mapping[str, Traits]) -> float:
    """Supervised tokens a processed token.

    Args:
      examples: share of each objective.
      traits: of each.
    """
    supervised = sum(s * traits[n].supervised for n, s in examples.items())
    return supervised / sum(s * traits[n].processed for n, s in examples.items())
