"""The first page: what fails, why, what to change, the cost, what is known."""

from collections.abc import Iterator

from ...objectives.registry import base_name
from ..failures import registry
from ..results.effects import Effect, beats
from ..results.nearest import ranked
from ..scores.score import Score
from ..wording import listed, percent
from .blocks import Block, Figure, Heading, Items, Paragraph, code
from .formatting import metric, number, step, to_beat
from .inputs import Memo
from .isolated import isolated, isolated_in
from .nearness import sentence
from .pictures import score_dots


def first_page(memo: Memo) -> Iterator[Block]:
    """Half a screen and a chart that can be read alone."""
    yield Heading(1, f"Diagnosis of mixture {code(memo.mixture.name)}")
    if not memo.failures:
        yield Paragraph("No failure was reported, and none was measured.")
        yield Paragraph("**What to change.** Nothing: keep the mixture.")
        return
    yield Paragraph("**What fails, and why.**")
    yield Items([_failing(memo, failure) for failure in memo.failures])
    yield Paragraph(f"**What to change.** {_change(memo)}")
    if memo.proposal.changes:
        yield Paragraph(f"**What it costs.** {_cost(memo)}")
    yield Paragraph(f"**What is known.** {_known(memo)}")
    yield Paragraph(f"**What is not known.** {' '.join(unknown(memo))}")
    yield Figure(
        score_dots(dict(_dots(memo, failure) for failure in memo.failures)),
        "Lines are 95 % intervals; ↓ means lower is better. The study trained small "
        "models of its own, so compare its mixes with each other only.",
    )


def _failing(memo: Memo, failure: str) -> str:
    evidence = [
        f"in {complaint.count:,} of {complaint.total:,} reviewed texts"
        for complaint in memo.complaints
        if complaint.failure == failure and complaint.share is not None
    ]
    score = memo.lead(failure)
    if score is not None:
        lower = "" if score.better == "higher" else "lower is better; "
        evidence.append(
            f"{score.probe}, {score.metric} {number(score.value)} "
            f"({lower}to beat: {to_beat(score)})"
        )
    what = "; ".join(evidence) or "reported, not measured"
    reasons = [cause.reasons[failure] for cause in memo.causes_of(failure)]
    # Causes are checked in order; an earlier one overrides those after it.
    why = _sentence(reasons[0] if reasons else "no cause was found")
    return f"{registry.get(failure).heading}: {what}. {why}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _change(memo: Memo) -> str:
    texts = []
    if memo.acting:
        steps = listed(
            f"{c.action} {code(c.name)} {'at' if c.action == 'add' else 'to'} "
            f"{percent(c.rate[1])} of examples and {percent(c.loss[1])} of the loss"
            for c in memo.acting
        )
        texts.append(f"{_sentence(steps)} The other objectives share the rest.")
    for failure, why in memo.proposal.unchanged.items():
        texts.append(f"For {registry.get(failure).title}, nothing: {why}")
    return " ".join(texts) or "Nothing: keep the mixture."


def _cost(memo: Memo) -> str:
    proposal = memo.proposal
    before, after = memo.rows.decoder, proposal.rows.decoder
    lost, kept = (
        percent(sum(c.loss[when] for c in proposal.changes if c.action == "lower"))
        for when in (0, 1)
    )
    text = f"Other objectives go from {lost} to {kept} of the loss. "
    if after == before:
        text += f"Rows stay as they are ({before.slots:,} decoder slots). "
    else:
        text += (
            f"Decoder rows: {before.slots:,} → {after.slots:,} slots, "
            f"{before.predictions:,} → {after.predictions:,} predictions, each "
            "projected to the vocabulary. "
        )
    mix = memo.effects.mixes.get(proposal.precedent or "")
    if mix is None or mix.own_loss is None:
        return f"{text}How much their held-out loss rises was not measured."
    value, low, high = (f"{100 * (ratio - 1):+.1f}" for ratio in mix.own_loss)
    return (
        f"{text}In the study, mix {code(proposal.precedent or '')} changed the "
        f"held-out loss on {code(memo.effects.incumbent)}'s objectives by {value} % "
        f"[{low}, {high}]."
    )


def _known(memo: Memo) -> str:
    mix, texts, confounded = memo.study_mix, [], []
    if mix is None or not memo.acting:
        return "No comparison of the study applies."
    failures = {change.failure for change in memo.acting}
    moves = [
        step(*pair) + ("" if beats(*pair) else " (no clear difference)")
        for failure in registry.names()
        if failure in failures and (pair := memo.pair(failure))
    ]
    if moves:
        incumbent = code(memo.effects.incumbent)
        whole = f"In the study, mix {code(mix)} as a whole against {incumbent}"
        texts.append(f"{whole}: {'; '.join(moves)}.")
    for change in memo.acting:
        name = base_name(change.name)
        choice = change.failure and isolated_in(memo, name, change.failure)
        if change.failure and choice:
            pairs = isolated(choice.study, name, change.failure)
            verdicts = "; ".join(f"{p.probe}: {p.verdict}" for p in pairs)
            texts.append(f"Adding {code(name)} alone: {verdicts}.")
        else:
            confounded.append(code(name))
    if confounded:
        texts.append(f"The effect of {listed(confounded)} alone is not isolated.")
    return " ".join(texts)


def unknown(memo: Memo) -> list[str]:
    """What was not measured, a sentence each; causes excepted."""
    missing = [
        registry.get(failure).title
        for failure in registry.names()
        if failure not in memo.failures and memo.lead(failure) is None
    ]
    texts = []
    if not memo.scores:
        texts.append("No checkpoint was measured.")
    elif missing:
        texts.append(f"Scores of this checkpoint on {listed(missing)}.")
    if not memo.effects.mixes:
        texts.append("The effect of the change: the study was not run.")
    else:
        order = ranked(memo.studies, memo.about)
        passed = order[: order.index(memo.effects)] if order else ()
        texts.append(sentence(memo.effects, memo.about, passed))
    if memo.proposal.changes and memo.proposal.precedent is None:
        texts.append(
            "Whether these shares are the best: they are set by a rule from causes and "
            "severities."
        )
    return texts


def _dots(memo: Memo, failure: str) -> tuple[str, dict[str, Score | Effect | None]]:
    """A row group of the chart: scores of the checkpoint and of two mixes."""
    lead, pair = memo.lead(failure), memo.pair(failure) or ()
    names = [metric(score) for score in (lead, *pair) if score is not None]
    heading = ": ".join([registry.get(failure).heading, *names[-1:]])
    score = lead if lead is not None and 0 <= lead.value <= 1 else None
    label = "this checkpoint"
    if score is not None and names[0] != names[-1]:
        label += f": {names[0]}"
    mixes = f"study: {memo.effects.incumbent}", f"study: {memo.study_mix}"
    return heading, {label: score} | dict(zip(mixes, pair, strict=False))
