"""The memo, part by part, as blocks: what was looked at, findings, causes, the rest."""

import shlex
from collections.abc import Iterator

from ...tasks.examples.mixture import Mixture
from ..causes.cause import Evidence, listed, percent
from ..scores.complaints import LONG_NAMES
from .blocks import Block, Commands, Heading, Items, Paragraph, Table, code
from .changes import changes
from .findings import findings
from .gin_text import whose
from .given import Memo
from .score_tables import all_scores


def content(memo: Memo) -> list[Block]:
    """All of the memo, in the order in which it is read."""
    return [
        Heading(1, f"Diagnosis of mixture {code(memo.mixture.name)}"),
        *_summary(memo),
        *_looked_at(memo),
        *findings(memo),
        *_causes(memo),
        *changes(memo),
        *_verify(memo),
        *_not_measured(memo),
        *all_scores(memo.scores),
    ]


def _summary(memo: Memo) -> Iterator[Block]:
    """The memo in a few sentences."""
    there = memo.proposal.severities
    if not there:
        yield Paragraph("No failure is complained of, and none was measured.")
        return
    names = listed(LONG_NAMES[one.failure] for one in there)
    found = [cause.name for cause in memo.causes if cause.verdict == "found"]
    yield Paragraph(
        f"Failures: {names}. Causes found: {listed(found) if found else 'none'}. "
        + _in_short(memo)
    )
    if not memo.scores:
        yield Paragraph(
            "No checkpoint was measured: what follows stands on the complaints, on the "
            "mixture's own measured properties and on the study, and parts that need a "
            "checkpoint are marked as not measured."
        )


def _in_short(memo: Memo) -> str:
    proposal = memo.proposal
    if not proposal.changes:
        return "No change of the mixture is recommended."
    more = [c for c in proposal.changes if c.action in ("add", "raise")]
    told = listed(
        f"{code(c.name)} {'new ' if c.action == 'add' else ''}"
        f"at {percent(c.loss[1])} of the loss"
        for c in more
    )
    if proposal.precedent is None:
        source = "by a rule from causes and severities, not from a measurement"
    else:
        source = f"as mix {code(proposal.precedent)} of the study has them"
    return f"Recommended: {told}; shares are set {source}."


def _looked_at(memo: Memo) -> Iterator[Block]:
    looked = memo.looked
    yield Heading(2, "What was looked at")
    none = "no checkpoint: measured parts are marked not measured"
    rows = [
        ("Date", looked.date),
        ("Run", code(looked.run) if looked.run else none),
        ("Step", "not measured" if looked.step is None else f"{looked.step:,}"),
        ("Mixture", f"{code(memo.mixture.name)}, {code(looked.gin)}"),
        ("Tasks", _tasks(memo.mixture)),
        ("Corpus of the probes", code(looked.corpus)),
        ("Vocabulary", code(memo.mixture.vocabulary)),
        ("Architecture", looked.architecture.replace("_", "–")),
        ("Rows", _rows(memo)),
        ("Mode that the model was asked in", looked.mode or "not measured"),
        ("Normalisation of the loss", code(memo.traits.normalisation)),
    ]
    if looked.parameters is not None:
        rows.insert(3, ("Parameters", f"{looked.parameters:,}"))
    if looked.command:
        rows.append(("Command", code(looked.command)))
    yield Table("The subject", ("what", "which"), tuple(rows), ("left", "left"))


def _tasks(mixture: Mixture) -> str:
    rates = mixture.positive_rates()
    total = sum(rates.values())
    return ", ".join(f"{code(task)} {percent(r / total)}" for task, r in rates.items())


def _rows(memo: Memo) -> str:
    decoder, encoder = memo.rows.decoder, memo.rows.encoder
    said = f"{decoder.slots} slots, {decoder.predictions} predictions"
    if encoder is not None:
        said += f"; encoder: {encoder.slots} slots, {encoder.predictions} predictions"
    return said


def _causes(memo: Memo) -> Iterator[Block]:
    yield Heading(2, "Causes")
    yield Paragraph(
        "Checked in this order, because an earlier one shadows those after it: a leak "
        "makes every other figure meaningless, and a mode that was never trained fails "
        "however good the mix."
    )
    verdicts = tuple(
        (f"{c.number}. {c.name}", c.verdict, _failures(c.failures)) for c in memo.causes
    )
    yield Table(
        "Verdicts; where a cause is not found, the failures that it could explain",
        ("cause", "verdict", "failures"),
        verdicts,
        ("left", "left", "left"),
    )
    for cause in memo.causes:
        name = f"{cause.name[0].upper()}{cause.name[1:]}"
        yield Heading(3, f"{cause.number}. {name}: {cause.verdict}")
        yield Paragraph(cause.statement)
        if cause.evidence:
            yield Table(
                f"Figures of cause {cause.number}",
                ("figure", "value", "source"),
                tuple((e.what, _amount(e), e.source) for e in cause.evidence),
                ("left", "right", "left"),
            )


def _failures(failures: tuple[str, ...]) -> str:
    return ", ".join(name for f, name in LONG_NAMES.items() if f in failures) or "none"


def _amount(evidence: Evidence) -> str:
    value, unit = evidence.value, evidence.unit
    if unit == "share":
        return percent(value)
    if unit == "score":
        return f"{value:.3f}"
    if unit == "nats":
        return f"{value:.3f} nats"
    return f"{value:,.0f}{' tokens' if unit == 'tokens' else ''}"


def _verify(memo: Memo) -> Iterator[Block]:
    """Commands, each behind what it shows."""
    looked = memo.looked
    yield Heading(2, "How to verify it")
    if not memo.proposal.changes:
        yield Paragraph("Nothing is recommended, so there is nothing to verify.")
        return
    yield Paragraph(
        "See what changes; prove that no slot sees what it must not; train; measure "
        "again, with the same probes. Compare only runs of equal processed tokens. "
        f"`recommended.gin` trains as it is. {whose(memo.start)} Files of your own "
        "model and run may come behind it."
    )
    names = [c.name for c in memo.proposal.changes if c.action in ("add", "raise")]
    failures = ",".join(one.failure for one in memo.proposal.severities)
    corpus = f" --corpus={shlex.quote(looked.corpus)}" if looked.corpus else ""
    corpus += "".join(f" {shlex.quote(f'--gin.{bound}')}" for bound in looked.settings)
    gin = shlex.quote(f"{looked.folder.rstrip('/')}/recommended.gin")
    yield Commands(
        (
            f"sightline mix diff {shlex.quote(looked.gin)} {gin}",
            f"sightline audit --gin_file={gin}",
            f"sightline train --gin_file={gin} --run_dir=runs/recommended",
            f"sightline diagnose runs/recommended{corpus} --failures={failures} "
            "--out=memo_after",
        )
    )
    yield Paragraph(
        "It holds if the scores of the failures get better with intervals that do not "
        "overlap those above, and the held-out losses of the objectives that it had "
        f"({', '.join(code(n) for n in memo.traits.objectives)}) do not rise by more "
        f"than you accept. New or raised: {', '.join(map(code, names))}."
    )


def _not_measured(memo: Memo) -> Iterator[Block]:
    yield Heading(2, "What was not measured")
    texts = [f"{c.name}: {c.statement}" for c in memo.causes]
    texts = [t for t, c in zip(texts, memo.causes, strict=True) if _unknown(c.verdict)]
    if not memo.scores:
        texts.insert(0, "Scores of the probes: there is no checkpoint.")
    if not any(complaint.count is not None for complaint in memo.complaints):
        texts.append("How often reviewers find each failure: no counts were given.")
    if not memo.effects.mixes:
        texts.append(
            "The effect of the change: the study was not run, so rates follow from "
            "causes and severities alone."
        )
    else:
        texts.append(
            "The effect of the change on this model: the study's models are small, "
            f"were trained on {code(memo.effects.corpus)} and on "
            f"{memo.effects.tokens:,} tokens each, and compare mixtures with its "
            f"incumbent, {code(memo.effects.incumbent)}."
        )
    yield Items((*texts, *memo.not_measured))


def _unknown(verdict: str) -> bool:
    return verdict == "not measured"
