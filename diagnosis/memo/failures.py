"""A section a failure: the rows that matter, the change, and what speaks for it."""

from collections.abc import Iterator, Mapping

from ..causes.cause import NEEDS, percent
from ..results.effects import Effect, compared
from ..revision.propose import Change
from ..revision.remedies import title
from ..revision.rule import supplied
from ..scores.score import Failure
from ..scores.severity import fails, reference
from .blocks import Block, Heading, Items, Paragraph, Table, code
from .first_page import credit, lead, metric, number, reference_name, study_mix
from .inputs import Memo


def failures(memo: Memo) -> Iterator[Block]:
    """A section for each failure that is there."""
    for severity in memo.proposal.severities:
        yield from _failure(memo, severity.failure)


def _failure(memo: Memo, failure: Failure) -> Iterator[Block]:
    yield Heading(2, title(failure))
    rows = list(_rows(memo, failure))
    if rows:
        yield Table(
            "✗: the interval reaches what it has to beat; "
            "↓: lower is better. The study's intervals are envelopes over its seeds",
            ("whose", "metric", "value", "95 % interval", "to beat"),
            tuple(rows),
            ("left", "left", "right", "right", "left"),
        )
    if lead(memo, failure) is None:
        yield Paragraph("Not measured on this model: no probe of it has a score.")
    found = [c for c in memo.causes if failure in c.reasons]
    yield Items(
        tuple(f"Cause {c.number}, {c.name}: {c.reasons[failure]}." for c in found)
        or ("No cause was found.",)
    )
    if failure in memo.proposal.unchanged:
        why = memo.proposal.unchanged[failure]
        yield Paragraph(f"No change: {why}")
    for change in memo.proposal.changes:
        if change.failure == failure:
            yield from _change(memo, change, failure)


def _rows(memo: Memo, failure: Failure) -> Iterator[tuple[str, ...]]:
    score = lead(memo, failure)
    if score is not None:
        wanted = reference(score)
        yield (
            "this checkpoint",
            metric(score),
            number(score.value) + (" ✗" if fails(score) else ""),
            f"{number(score.low)} – {number(score.high)}",
            f"{number(wanted or 0.0)}, {reference_name(score)}",
        )
    mix = study_mix(memo)
    pair = compared(memo.effects, mix, failure) if mix else None
    if mix is None or pair is None:
        return
    shown = {memo.effects.incumbent: pair[0], mix: pair[1]}
    others = {
        name: effect
        for name in memo.effects.mixes
        if name not in shown
        and (both := compared(memo.effects, name, failure))
        and (effect := both[1])
    }
    if others:
        best = max if pair[0].better == "higher" else min
        name = best(others, key=lambda name: others[name].value)
        shown[name] = others[name]
    role = (
        "followed by the proposal"
        if memo.proposal.precedent
        else "nearest to the proposal"
    )
    roles = "study's incumbent", f"study's mix {role}", "study's best other mix"
    for role, (name, effect) in zip(roles, shown.items(), strict=False):
        yield _row(f"{role}, {code(name)}", effect)


def _row(whose: str, effect: Effect) -> tuple[str, ...]:
    beat = "–" if effect.chance is None else f"{number(effect.chance)}, chance"
    between = f"{number(effect.low)} – {number(effect.high)}"
    return whose, metric(effect), number(effect.value), between, beat


def _change(memo: Memo, change: Change, failure: Failure) -> Iterator[Block]:
    verb = {"add": "Add", "raise": "Raise"}.get(change.action, "Keep")
    need = NEEDS[failure]
    before = percent(supplied(memo.traits, failure))
    after = percent(supplied(memo.proposal.traits, failure))
    yield Heading(3, f"{verb} {code(change.name)}")
    yield Items(
        (
            f"Examples: {moved(change.rate)}. Loss: {moved(change.loss)}. "
            f"Loss on {need.name}: {before} → {after}.",
            f"Hypothesis: {HYPOTHESES[failure]}",
            f"Evidence: {credit(memo, change, failure)}",
            f"Cost: {cost(memo, change)}",
        )
    )


HYPOTHESES: Mapping[Failure, str] = {
    "drift": "predicting each token from the strict past makes the model look back "
    "for what the text already says.",
    "continuation": "a label with negatives from the same document makes the model "
    "judge order, not only topic.",
    "reconstruction": "a target that is the whole text makes the model copy what is "
    "there, not only fill gaps.",
}
"""Why an objective may act on a failure; a study has to show it."""


def moved(pair: tuple[float, float]) -> str:
    """`5 % → 10 %`."""
    return f"{percent(pair[0])} → {percent(pair[1])}"


def cost(memo: Memo, change: Change) -> str:
    """What an Example of the objective takes, and its share of all slots."""
    traits = memo.proposal.traits
    slots = {n: s * traits.objectives[n].processed for n, s in traits.examples.items()}
    share = slots[change.name] / sum(slots.values())
    return (
        f"{change.traits.processed:,.0f} slots and {change.traits.supervised:,.0f} "
        f"supervised tokens an Example; {percent(share)} of all slots."
    )
