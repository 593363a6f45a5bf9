"""The memo, part by part, as blocks."""

import shlex
from collections.abc import Iterator, Mapping

from ...objectives.registry import base_name
from ..causes.cause import NEEDS, percent, title
from ..results.effects import Effect, compared
from ..revision.adapted import KEPT
from ..revision.propose import Change
from ..revision.rule import supplied
from ..scores.score import Failure, Score
from .adapt_text import ADAPT
from .appendix import appendix
from .blocks import Block, Commands, Document, Heading, Items, Paragraph, Table, code
from .first_page import first_page, unknown
from .formatting import measured, metric, moved, step, to_beat
from .inputs import Memo
from .isolated import isolated
from .published import published_blocks

HYPOTHESES: Mapping[Failure, str] = {
    "drift": "predicting each token from the strict past makes the model look back "
    "for what the text already says.",
    "continuation": "a label with negatives from the same document makes the model "
    "judge order, not only topic.",
    "reconstruction": "a target that is the whole text makes the model copy what is "
    "there, not only fill gaps.",
}
"""Why an objective may act on a failure; only a study can show that it does."""


def content(memo: Memo) -> Document:
    """The whole memo in reading order."""
    main = (
        *first_page(memo),
        *_failures(memo),
        *published_blocks(memo.published),
        *_verify(memo),
        *_not_measured(memo),
    )
    return Document(main, list(appendix(memo)))


def _failures(memo: Memo) -> Iterator[Block]:
    """A section for each failure that is present."""
    for failure in memo.failures:
        yield Heading(2, title(failure))
        rows = [
            (whose, metric(evidence), *measured(evidence), to_beat(evidence))
            for whose, evidence in _evidence_rows(memo, failure)
        ]
        if rows:
            yield Table(
                "✗: the interval reaches what it has to beat; ↓: lower is better. The "
                "study's intervals are envelopes over its seeds",
                ("whose", "metric", "value", "95 % interval", "to beat"),
                rows,
                "llrrl",
            )
        if memo.lead(failure) is None:
            yield Paragraph("Not measured on this model: no probe of it has a score.")
        reasons = [
            f"Cause {cause.number}, {cause.name}: {cause.reasons[failure]}."
            for cause in memo.causes_of(failure)
        ]
        yield Items(reasons or ["No cause was found."])
        if failure in memo.proposal.unchanged:
            yield Paragraph(f"No change: {memo.proposal.unchanged[failure]}")
        for change in memo.proposal.changes:
            if change.failure == failure:
                yield from _change(memo, change, failure)


def _evidence_rows(
    memo: Memo, failure: Failure
) -> Iterator[tuple[str, Score | Effect]]:
    """The checkpoint, the study's incumbent, the proposal's mix and the best other."""
    main_score, pair, mix = memo.lead(failure), memo.pair(failure), memo.study_mix
    if main_score is not None:
        yield "this checkpoint", main_score
    if pair is None or mix is None:
        return
    followed = memo.proposal.precedent is not None
    role = "followed by the proposal" if followed else "nearest to the proposal"
    yield f"study's incumbent, {code(memo.effects.incumbent)}", pair[0]
    yield f"study's mix {role}, {code(mix)}", pair[1]
    others = {
        name: both[1]
        for name in memo.effects.mixes
        if name not in (memo.effects.incumbent, mix)
        and (both := compared(memo.effects, name, failure))
    }
    if others:
        best = max if pair[0].better == "higher" else min
        name = best(others, key=lambda name: others[name].value)
        yield f"study's best other mix, {code(name)}", others[name]


def _change(memo: Memo, change: Change, failure: Failure) -> Iterator[Block]:
    verb = {"add": "Add", "raise": "Raise"}.get(change.action, "Keep")
    after = memo.proposal.traits
    supply = supplied(memo.traits, failure), supplied(after, failure)
    slots = {n: s * after.objectives[n].processed for n, s in after.examples.items()}
    share = slots[change.name] / sum(slots.values())
    yield Heading(3, f"{verb} {code(change.name)}")
    yield Items(
        [
            f"Examples: {moved(change.rate)}. Loss: {moved(change.loss)}. "
            f"Loss on {NEEDS[failure].name}: {moved(supply)}.",
            f"Hypothesis: {HYPOTHESES[failure]}",
            f"Evidence: {_credit(memo, change, failure)}",
            f"Cost: {change.traits.processed:,.0f} slots and "
            f"{change.traits.supervised:,.0f} supervised tokens an Example; "
            f"{percent(share)} of all slots.",
        ]
    )


def _credit(memo: Memo, change: Change, failure: Failure) -> str:
    """What comparisons with and without the objective show."""
    name = base_name(change.name)
    proposed = memo.proposal.mixture.objectives()[change.name].settings
    texts = [
        f"{code(name)} alone ({code(pair.having)} against {code(pair.without)}"
        f"{'' if pair.settings == proposed else ', with other settings than proposed'})"
        f": {step(pair.before, pair.after)}, {pair.verdict}."
        for pair in isolated(memo.effects, name, failure)
    ]
    default = f"not isolated; no two mixes of the study differ by {code(name)} alone."
    return " ".join(texts) or default


def _verify(memo: Memo) -> Iterator[Block]:
    """The commands to run, in order."""
    origin = memo.provenance
    if not memo.proposal.changes:
        return
    yield Heading(2, "How to verify it")
    yield Paragraph(
        "Review the change, audit it for leaks, train, and measure again. Compare only "
        "runs of equal processed tokens."
    )
    gin = shlex.quote(f"{origin.folder.rstrip('/')}/recommended.gin")
    bound = [f"--gin.{setting}" for setting in origin.settings]
    examined = [f"--corpus={origin.corpus}"] if origin.corpus else []
    examined = [*examined, *bound, f"--failures={','.join(memo.failures)}"]
    yield Commands(
        [
            f"sightline mix diff {shlex.quote(origin.gin)} {gin}",
            f"sightline audit --gin_file={gin}",
            f"sightline train --gin_file={gin} --run_dir=runs/recommended",
            f"sightline diagnose runs/recommended {shlex.join(examined)} "
            "--out=memo_after",
        ]
    )
    yield from _adapt(memo)
    present = ", ".join(code(name) for name in memo.traits.objectives)
    yield Paragraph(
        "The change works if the scores of the failures improve, with intervals apart "
        "from those above, and the held-out losses of the present objectives "
        f"({present}) rise by no more than you accept."
    )


def _adapt(memo: Memo) -> Iterator[Block]:
    """How to adapt the run instead of training another one."""
    adaptation = memo.adaptation
    if adaptation is None:
        return
    gin = shlex.quote(f"{memo.provenance.folder.rstrip('/')}/{ADAPT}")
    yield Paragraph(
        f"Or adapt the run at {percent(adaptation.share)} of its tokens, "
        f"{adaptation.steps:,} steps, keeping {percent(KEPT)} of its mixture:"
    )
    yield Commands([f"sightline train --gin_file={gin} --run_dir=runs/adapted"])


def _not_measured(memo: Memo) -> Iterator[Block]:
    yield Heading(2, "What was not measured")
    texts = unknown(memo)
    texts += [
        f"{cause.name[0].upper()}{cause.name[1:]}: {cause.statement}"
        for cause in memo.causes
        if cause.verdict == "not measured"
    ]
    if not any(complaint.count is not None for complaint in memo.complaints):
        texts.append("How often reviewers find each failure: no counts were given.")
    if memo.not_measured:
        texts.append(f"{len(memo.not_measured)} more, listed in the appendix.")
    yield Items(texts)
