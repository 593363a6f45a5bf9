"""From causes, effects and severities to a revised mixture, each number with a source.

The rule, where no mix of the study speaks for the mixture: half of the loss, and half
of the slots that are processed, stay with the customer's own objectives; the other half
is divided among the failures by their severity. What the mixture supplies against a
failure already counts. Where a mix of the study does, the objectives that act on the
failures get the shares that they have in it, and the customer's own ones the rest.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Int

from ...models.rows import RowShape
from ...tasks.examples.mixture import Mixture
from ..causes.cause import NEEDS, Cause, listed, percent
from ..results.effects import Effects
from ..scores.complaints import Complaint
from ..scores.score import Failure, Score
from ..scores.severity import Severity, severities
from ..traits.objective_traits import Traits
from ..traits.traits import MixtureTraits, mixture_traits
from .revision import Part, fitting_rows, open_rows, revised
from .rule import KEPT, LEAST, by_precedent, by_rule, supplied

EXAMPLES = 256
"""Of each task: a share of a half is then known to ± 3 points (one standard error)."""

MIXTURE_CAUSES = (2, 4, 5)
"""Numbers of the causes that other rates act on: mode, share of the loss, the mix."""


class Change(NamedTuple):
    """What becomes of one objective.

    Attributes:
      name: of the objective or variant.
      action: whether it is new, gets more, stays or makes room.
      failure: that it is there for; None for one that makes room.
      traits: measured, on the rows of the proposal.
      rate: share of the examples, before and after.
      loss: share of the loss, before and after.
      sources: where the numbers are from.
    """

    name: str
    action: Literal["add", "raise", "keep", "lower"]
    failure: Failure | None
    traits: Traits
    rate: tuple[float, float]
    loss: tuple[float, float]
    sources: tuple[str, ...]


class Proposal(NamedTuple):
    """What is recommended.

    Attributes:
      mixture: the revised one; the old one under another name if nothing changes.
      rows: that it fits.
      traits: of it.
      changes: of its objectives, new ones first.
      severities: of the failures that are there.
      unchanged: why nothing is changed, for each failure for which nothing is.
      precedent: the mix of the study that is followed; None where the rule is.
    """

    mixture: Mixture
    rows: RowShape
    traits: MixtureTraits
    changes: tuple[Change, ...]
    severities: tuple[Severity, ...]
    unchanged: Mapping[Failure, str]
    precedent: str | None


def propose(
    mixture: Mixture,
    traits: MixtureTraits,
    causes: Sequence[Cause],
    scores: Sequence[Score],
    complaints: Sequence[Complaint],
    effects: Effects,
    *,
    rows: RowShape,
    lengths: Mapping[str, Int[np.ndarray, " D"]] | None = None,
    examples: int = EXAMPLES,
) -> Proposal:
    """Recommends rates and shares of the loss.

    Args:
      mixture: as it is.
      traits: of it, measured on the rows.
      causes: that were checked; only failures with one that is found, and that other
        rates act on, are acted on.
      scores: of a checkpoint; none where there is none.
      complaints: of reviewers, or named.
      effects: of the study; without mixes where it was not run.
      rows: that the mixture fills.
      lengths: of documents, as `mixture_traits` takes them.
      examples: of each task, from which the traits of what is proposed are measured.
    """
    there = severities(complaints, scores)
    unchanged = dict(_without_cause(there, causes))
    due: list[Failure] = [o.failure for o in there if o.failure not in unchanged]
    wide, followed = open_rows(rows), None
    if found := by_precedent(mixture, traits, effects, due, rows=wide):
        followed, parts = found
    else:
        parts = by_rule(mixture, traits, there, due, rows=wide)
    acted = {part.failure for part in parts}
    unchanged |= {
        failure: f"{percent(supplied(traits, failure))} of the loss is on "
        f"{NEEDS[failure].name} already, as much as it would get."
        for failure in due
        if failure not in acted
    }
    after = revised(mixture, parts, traits.loss)
    fitting = fitting_rows(rows, after) if parts else rows
    measured = mixture_traits(after, fitting, lengths=lengths, examples=examples)
    changes = _changes(traits, measured, parts, _room(followed, effects))
    changed = tuple(changes) if parts else ()
    return Proposal(after, fitting, measured, changed, there, unchanged, followed)


def _without_cause(
    there: Sequence[Severity], causes: Sequence[Cause]
) -> Iterator[tuple[Failure, str]]:
    """Failures that other rates do not act on, and why."""
    for failure, *_ in there:
        found = [c for c in causes if c.verdict == "found" and failure in c.failures]
        if not any(cause.number in MIXTURE_CAUSES for cause in found):
            first = listed(cause.name for cause in found)
            more = f"; mend this first: {first}." if found else "."
            yield failure, f"no cause that other rates act on was found{more}"


def _changes(
    before: MixtureTraits, after: MixtureTraits, parts: Sequence[Part], room: str
) -> Iterator[Change]:
    """What becomes of each objective: those that get a part first."""
    given = {part.objective.name: part for part in parts}
    for name in sorted(after.objectives, key=lambda name: name not in given):
        part = given.get(name)
        loss = before.loss.get(name, 0.0), after.loss[name]
        new = name not in before.objectives
        more = "raise" if loss[1] - loss[0] >= LEAST / 2 else "keep"
        yield Change(
            name,
            "lower" if part is None else "add" if new else more,
            part.failure if part else None,
            after.objectives[name],
            rate=(before.examples.get(name, 0.0), after.examples[name]),
            loss=loss,
            sources=(part.source if part else room,),
        )


def _room(followed: str | None, effects: Effects) -> str:
    """Where the shares of objectives that make room are from."""
    if followed is None:
        return (
            "rule: the customer's own objectives share what is left, at least "
            f"{percent(KEPT)} of loss and slots, in their own proportions"
        )
    own, cost = effects.mixes[followed].own_loss, "not measured"
    if own is not None:
        cost = f"{own.value:.3f} [{own.low:.3f}, {own.high:.3f}] of the incumbent's"
    return (
        f"what mix `{followed}` of the study leaves, in their own proportions; "
        f"held-out loss of the incumbent's objectives there: {cost}"
    )
