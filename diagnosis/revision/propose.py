"""From causes, effects and severities to a revised mixture, each number with a source.

If a mix of the study is a precedent, the objectives that act on the failures get the
shares that they have in it, and the objectives of the present mixture the rest.
Otherwise, by rule, these keep half of the loss and of the processed slots; the other
half is divided among the failures by severity, less what the mixture already supplies.
Of a mix that is followed, an objective is left out that shows no gain in the nearest
study where another one does. What a team cannot afford is left out, and what that costs
is said.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Int

from ...models.rows import RowShape
from ...tasks.examples.mixture import Mixture
from ..causes.cause import Cause
from ..findings.complaints import Complaint
from ..findings.severity import Severity, severities
from ..results.effects import Effects
from ..scores.score import Score
from ..traits.objective_traits import Traits
from ..traits.traits import MixtureTraits
from ..wording import listed, percent
from .draft import Draft, Precedent, Proposed, Revision, draft
from .evidence import replaced
from .limited import Limited, within
from .limits import NO_LIMITS, Limits, RowCost, check
from .revision import DIGITS, Part
from .rule import KEPT, LEAST, by_precedent, by_rule, parts_of, supplied

EXAMPLES = 256
"""Examples of each task: a share of .5 then has a standard error of .03."""

MIXTURE_CAUSES = (2, 4, 5)
"""Numbers of the causes that rates act on: mode, share of the loss, the mix."""


class Change(NamedTuple):
    """The change of one objective.

    Attributes:
      name: of the objective or variant.
      action: whether it is new, gets more, stays or makes room.
      failures: that it acts on; none if it makes room.
      traits: measured on the rows of the proposal.
      rate: share of the examples, before and after.
      loss: share of the loss, before and after.
      source: of the numbers.
    """

    name: str
    action: Literal["add", "raise", "keep", "lower"]
    failures: tuple[str, ...]
    traits: Traits
    rate: tuple[float, float]
    loss: tuple[float, float]
    source: str


class Proposal(NamedTuple):
    """A recommended mixture.

    Attributes:
      mixture: the revised one; the old one under another name if nothing changes.
      rows: that fit it.
      traits: of the mixture.
      changes: of its objectives, new ones first.
      severities: of the failures that are present.
      unchanged: for each failure without a change, why.
      precedent: the mix of the study that is followed; None if the rule is.
      study: that the precedent is of; without one the nearest; None if there is none.
      limits: that it keeps.
      limited: what they cost; None without limits.
    """

    mixture: Mixture
    rows: RowShape
    traits: MixtureTraits
    changes: tuple[Change, ...]
    severities: tuple[Severity, ...]
    unchanged: Mapping[str, str]
    precedent: str | None
    study: Effects | None = None
    limits: Limits = NO_LIMITS
    limited: Limited | None = None


def propose(
    mixture: Mixture,
    traits: MixtureTraits,
    causes: Sequence[Cause],
    scores: Sequence[Score],
    complaints: Sequence[Complaint],
    studies: Sequence[Effects],
    *,
    rows: RowShape,
    lengths: Mapping[str, Int[np.ndarray, " D"]] | None = None,
    examples: int = EXAMPLES,
    limits: Limits = NO_LIMITS,
    row_cost: RowCost | None = None,
) -> Proposal:
    """Recommends rates and shares of the loss.

    Args:
      mixture: the present one, without a schedule (`mean_of_phases`).
      traits: of the mixture, measured on the rows.
      causes: that were checked; a failure is acted on only if one that rates act on
        was found.
      scores: of a checkpoint; empty without one.
      complaints: of reviewers, or named.
      studies: the nearest first (`nearest.ranked`); the first that has a mix to follow
        is followed.
      rows: of the mixture.
      lengths: of documents, as for `mixture_traits`.
      examples: of each task, to measure the traits of the proposal.
      limits: that the proposal keeps.
      row_cost: operations of the model for a row; needed for `Limits.most_cost`.

    Raises:
      UsageError: no mixture keeps the limits.
    """
    check(limits, list(traits.objectives), row_cost)
    present = severities(complaints, scores)
    unchanged = dict(_without_cause(present, causes))
    due: list[str] = [
        severity.failure for severity in present if severity.failure not in unchanged
    ]

    def parts_on(wide: RowShape) -> Proposed:
        for study in studies:
            if match := by_precedent(mixture, traits, study, due, rows=wide):
                mix, parts = match
                # Limits may rule out what replaces a part: each failure keeps its own.
                left, why = parts, {}
                if limits == NO_LIMITS:
                    left, why = replaced(parts, studies)
                return Proposed(Precedent(study, mix), _told(left, parts), why)
        # By rule the share of a part left out would go to the mixture's own objectives.
        return Proposed(None, by_rule(mixture, traits, present, due, rows=wide))

    revision = Revision(mixture, rows, traits, present, parts_on, lengths, examples)
    free = chosen = draft(revision)
    limited = None
    if limits != NO_LIMITS:
        chosen, limited = within(revision, free, limits, row_cost)
    acted, affordable = (
        {failure for part in one.parts for failure in part.failures}
        for one in (free, chosen)
    )
    by_severity = {} if free.followed else parts_of(present)
    unchanged |= {
        failure: _without_part(supplied(traits, failure), by_severity.get(failure, 0.0))
        for failure in due
        if failure not in acted
    } | {f: why for f, why in free.replaced.items() if f not in acted}
    unchanged |= {
        failure: f"{limits.text} leaves no room for what acts on it."
        for failure in due
        if failure in acted - affordable
    }
    followed = chosen.followed
    return Proposal(
        chosen.mixture,
        chosen.rows,
        chosen.traits,
        tuple(_changes(traits, chosen, _room(chosen, free))),
        present,
        unchanged,
        followed.mix if followed else None,
        followed.study if followed else next(iter(studies), None),
        limits,
        limited,
    )


def _told(left: Sequence[Part], parts: Sequence[Part]) -> Sequence[Part]:
    """Parts of a mix that is followed, which say what was measured beside them."""
    left_out = [f"`{part.objective.name}`" for part in parts if part not in left]
    caveat = f"; measured with {listed(left_out)}" if left_out else ""
    return [part._replace(source=part.source + caveat) for part in left]


def _without_cause(
    present: Sequence[Severity], causes: Sequence[Cause]
) -> Iterator[tuple[str, str]]:
    """Failures that rates do not act on, and why."""
    for failure, *_ in present:
        relevant = [c for c in causes if c.verdict == "found" and failure in c.failures]
        if not any(cause.number in MIXTURE_CAUSES for cause in relevant):
            names = listed(cause.name for cause in relevant)
            fix = f"; fix this first: {names}." if relevant else "."
            yield failure, f"no cause that other rates act on was found{fix}"


def _without_part(there: float, part: float) -> str:
    """Why a failure gets nothing more: of the loss, what acts on it and its part."""
    acts = f"{percent(there)} of the loss acts on it already"
    if there >= part:
        return f"{acts}, as much as it would get."
    return (
        f"{acts} and its part by severity is {percent(part)}: less than "
        f"{percent(LEAST)} is missing."
    )


def _changes(before: MixtureTraits, chosen: Draft, room: str) -> Iterator[Change]:
    """The change of each objective; those that get a part come first.

    There are none if nothing is added and nothing is ruled out.
    """
    after, parts = chosen.traits, {part.objective.name: part for part in chosen.parts}
    gone = [name for name in before.objectives if name not in after.objectives]
    if not parts and not gone:
        return
    names = sorted(after.objectives, key=lambda name: name not in parts)
    for name in (*names, *gone):
        part = parts.get(name)
        loss = before.loss.get(name, 0.0), after.loss.get(name, 0.0)
        new = name not in before.objectives
        action = "raise" if loss[1] - loss[0] >= LEAST / 2 else "keep"
        if part is None and loss[1] < loss[0] - 10**-DIGITS:
            action = "lower"
        yield Change(
            name,
            "add" if new else action,
            part.failures if part else (),
            {**before.objectives, **after.objectives}[name],
            rate=(before.examples.get(name, 0.0), after.examples.get(name, 0.0)),
            loss=loss,
            source=part.source if part else room,
        )


def _room(chosen: Draft, free: Draft) -> str:
    """Source of the shares of objectives that make room."""
    if chosen is not free:
        return "what the limits leave: those that are kept have at least their share"
    if chosen.followed is None:
        return (
            "rule: the customer's own objectives share what is left, at least "
            f"{percent(KEPT)} of loss and slots, in their own proportions"
        )
    study, mix = chosen.followed
    own_loss, cost = study.mixes[mix].own_loss, "not measured"
    if own_loss is not None:
        value, low, high = own_loss
        cost = f"{value:.3f} [{low:.3f}, {high:.3f}] of the incumbent's"
    return (
        f"what mix `{mix}` of the study leaves, in their own proportions; "
        f"held-out loss of the incumbent's objectives there: {cost}"
    )
