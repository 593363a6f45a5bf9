"""The first page: what fails, why, what to change, what it costs, what is known."""

import math
from collections.abc import Iterator

from ...objectives.registry import base_name
from ..causes.cause import listed, percent
from ..results.effects import Effect, OwnLoss, beats, compared
from ..revision.propose import Change
from ..revision.remedies import title
from ..scores.complaints import LONG_NAMES
from ..scores.headlines import headlines
from ..scores.score import FAILURES, Failure, Score
from ..scores.severity import perfect, reference
from .blocks import Block, Figure, Heading, Items, Paragraph, code
from .inputs import Memo
from .isolated import Isolated, isolated
from .pictures import Dot, score_dots


def first_page(memo: Memo) -> Iterator[Block]:
    """Half a screen and a chart, to be read alone."""
    yield Heading(1, f"Diagnosis of mixture {code(memo.mixture.name)}")
    if not memo.proposal.severities:
        yield Paragraph("No failure was reported, and none was measured.")
        yield Paragraph("**What to change.** Nothing: keep the mixture.")
        return
    yield Paragraph("**What fails, and why.**")
    yield Items(tuple(_failing(memo, s.failure) for s in memo.proposal.severities))
    yield Paragraph(f"**What to change.** {_change(memo)}")
    if memo.proposal.changes:
        yield Paragraph(f"**What it costs.** {_cost(memo)}")
    yield Paragraph(f"**What is known.** {_known(memo)}")
    yield Paragraph(f"**What is not known.** {_unknown(memo)}")
    yield Figure(
        score_dots(_groups(memo)),
        "Lines are 95 % intervals; ↓ means lower is better. The study trained small "
        "models of its own, so compare its mixes with each other only.",
    )


def lead(memo: Memo, failure: Failure) -> Score | None:
    """The checkpoint's score of the probe and metric that the study reports first."""
    own = [s for s in memo.scores if s.failure == failure and math.isfinite(s.value)]
    scores = [s for s in headlines(own) if reference(s) is not None]
    # A reference that is itself perfect cannot be beaten: the leak audit has one.
    scores = [s for s in scores if reference(s) != perfect(s)]
    mix = memo.effects.mixes.get(memo.effects.incumbent)
    first = mix.effect(failure) if mix else None
    alike = [s for s in scores if first and s[1:4:2] == (first.probe, first.metric)]
    return next(iter(alike or scores), None)


def study_mix(memo: Memo) -> str | None:
    """The study's mix that the proposal follows, else the one nearest to it."""
    if memo.proposal.precedent:
        return memo.proposal.precedent
    wanted = memo.proposal.mixture.loss_shares or {}
    overlap = {
        name: sum(min(s, wanted.get(n, 0.0)) for n, s in mix.loss_shares.items())
        for name, mix in memo.effects.mixes.items()
        if name != memo.effects.incumbent
    }
    return max(overlap, key=lambda name: overlap[name]) if overlap else None


def credit(memo: Memo, change: Change, failure: Failure) -> str:
    """What a comparison with and without the objective shows, and nothing else."""
    name = base_name(change.name)
    pairs = isolated(memo.effects, name, failure)
    if not pairs:
        return f"not isolated; no two mixes of the study differ by {code(name)} alone."
    return " ".join(_compared(pair, name, change, memo) for pair in pairs)


def _compared(pair: Isolated, name: str, change: Change, memo: Memo) -> str:
    before, after = pair.before, pair.after
    verdict = "better" if pair.apart else "no clear difference: the intervals overlap"
    proposed = memo.proposal.mixture.objectives()[change.name].settings
    other = "" if pair.settings == proposed else ", with other settings than proposed"
    return (
        f"{code(name)} alone ({code(pair.having)} against {code(pair.without)}{other})"
        f": {metric(after)} {number(before.value)} → {number(after.value)}, {verdict}."
    )


def metric(score: Effect | Score) -> str:
    """`minimal pairs, accuracy`, and an arrow where lower is better."""
    return f"{score.probe}, {score.metric}" + arrow(score)


def arrow(score: Effect | Score) -> str:
    """An arrow where lower is better."""
    return "" if score.better == "higher" else " ↓"


def number(value: float) -> str:
    """Three digits behind the point."""
    return f"{value:.3f}" if math.isfinite(value) else "–"


def reference_name(score: Score) -> str:
    """`chance`, or the baseline that has the value to beat."""
    wanted = reference(score)
    names = [name for name, value in score.baselines.items() if value == wanted]
    return "chance" if score.chance == wanted or not names else names[0]


def _failing(memo: Memo, failure: Failure) -> str:
    evidence = []
    complaint = next((c for c in memo.complaints if c.failure == failure), None)
    if complaint is not None and complaint.share is not None:
        evidence.append(f"in {complaint.count:,} of {complaint.total:,} reviewed texts")
    score, wanted = lead(memo, failure), None
    if score is not None and (wanted := reference(score)) is not None:
        lower = "" if score.better == "higher" else "lower is better; "
        evidence.append(
            f"{score.probe}, {score.metric} {number(score.value)} ({lower}to beat: "
            f"{number(wanted)}, {reference_name(score)})"
        )
    what = f"{title(failure)}: {'; '.join(evidence) or 'reported, not measured'}."
    reasons = [c.reasons[failure] for c in memo.causes if failure in c.reasons]
    # Causes are checked in order, and an earlier one shadows those after it.
    return f"{what} {_sentence(reasons[0] if reasons else 'no cause was found')}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _change(memo: Memo) -> str:
    proposal = memo.proposal
    more = [c for c in proposal.changes if c.action in ("add", "raise")]
    texts = []
    if more:
        steps = listed(
            f"{c.action} {code(c.name)} {'at' if c.action == 'add' else 'to'} "
            f"{percent(c.rate[1])} of examples and {percent(c.loss[1])} of the loss"
            for c in more
        )
        texts.append(f"{_sentence(steps)} The other objectives share the rest.")
    for failure, why in proposal.unchanged.items():
        texts.append(f"For {LONG_NAMES[failure]}, nothing: {why}")
    return " ".join(texts) or "Nothing: keep the mixture."


def _cost(memo: Memo) -> str:
    proposal = memo.proposal
    kept = sum(c.loss[1] for c in proposal.changes if c.action == "lower")
    had = sum(c.loss[0] for c in proposal.changes if c.action == "lower")
    was, now = memo.rows.decoder, proposal.rows.decoder
    rows = "Rows keep their size."
    if was != now:
        slots = f"{was.slots:,} → {now.slots:,}"
        rows = (
            f"Slots a decoder row: {slots if was.slots != now.slots else 'unchanged'}; "
            f"predictions: {was.predictions:,} → {now.predictions:,}, each projected "
            "to the vocabulary."
        )
    text = f"Other objectives go from {percent(had)} to {percent(kept)} of the loss. "
    mix = memo.effects.mixes.get(proposal.precedent or "")
    if mix is None or mix.own_loss is None:
        return text + f"{rows} How much their held-out loss rises was not measured."
    low, value, high = (f"{100 * (x - 1):+.1f}" for x in _ends(mix.own_loss))
    return text + (
        f"{rows} In the study, mix {code(proposal.precedent or '')} changed the "
        f"held-out loss on {code(memo.effects.incumbent)}'s objectives by {value} % "
        f"[{low}, {high}]."
    )


def _ends(own: OwnLoss) -> tuple[float, float, float]:
    return own.low, own.value, own.high


def _known(memo: Memo) -> str:
    mix = study_mix(memo)
    acting = [c for c in memo.proposal.changes if c.action in ("add", "raise")]
    if mix is None or not acting:
        return "No comparison of the study applies."
    failures = {c.failure for c in acting}
    moved = [
        f"{metric(pair[1])}: {number(pair[0].value)} → {number(pair[1].value)}"
        + ("" if beats(*pair) else " (no clear difference)")
        for failure in FAILURES
        if failure in failures and (pair := compared(memo.effects, mix, failure))
    ]
    incumbent = code(memo.effects.incumbent)
    texts = []
    if moved:
        whole = f"In the study, mix {code(mix)} as a whole against {incumbent}"
        texts.append(f"{whole}: {'; '.join(moved)}.")
    unknown = []
    for change in acting:
        name = base_name(change.name)
        pairs = change.failure and isolated(memo.effects, name, change.failure)
        if not pairs:
            unknown.append(code(name))
            continue
        verdicts = "; ".join(
            f"{pair.after.probe}: {'better' if pair.apart else 'no clear difference'}"
            for pair in pairs
        )
        texts.append(f"Adding {code(name)} alone: {verdicts}.")
    if unknown:
        texts.append(f"The effect of {listed(unknown)} alone is not isolated.")
    return " ".join(texts)


def _unknown(memo: Memo) -> str:
    texts = []
    if not memo.scores:
        texts.append("No checkpoint was measured.")
    there = {one.failure for one in memo.proposal.severities}
    missing: list[Failure] = [
        f for f in FAILURES if f not in there and lead(memo, f) is None
    ]
    if memo.scores and missing:
        named = listed(LONG_NAMES[failure] for failure in missing)
        texts.append(f"Not measured on this checkpoint: {named}.")
    if memo.proposal.changes and memo.effects.mixes:
        texts.append(
            "The effect on a model of this size and corpus: the study trained small "
            f"models on {code(memo.effects.corpus)}."
        )
    elif memo.proposal.changes:
        texts.append("The effect of the change: the study was not run.")
    if memo.proposal.changes and memo.proposal.precedent is None:
        texts.append(
            "Whether these shares are the best: they are set by a rule from causes and "
            "severities, not by a measurement."
        )
    return " ".join(texts) or "See the list at the end."


def _groups(memo: Memo) -> list[tuple[str, list[Dot]]]:
    """The scores that the chart shows: of the checkpoint and of two mixes."""
    return [_group(memo, one.failure) for one in memo.proposal.severities]


def _group(memo: Memo, failure: Failure) -> tuple[str, list[Dot]]:
    score, mix = lead(memo, failure), study_mix(memo)
    pair = compared(memo.effects, mix, failure) if mix else None
    names = [metric(one) for one in (score, *(pair or ())) if one is not None]
    heading = f"{title(failure)}: {names[-1]}" if names else title(failure)
    whose = "this checkpoint"
    if score is None or not 0 <= score.value <= 1:
        dots = [Dot(whose, None, math.nan, math.nan, None, "checkpoint")]
    else:
        label = whose if names[0] == names[-1] else f"{whose}: {names[0]}"
        ends = score.low, score.high
        dots = [Dot(label, score.value, *ends, reference(score), "checkpoint")]
    labels = f"study: {memo.effects.incumbent}", f"study: {mix}"
    for label, kind, effect in zip(
        labels, ("incumbent", "revised"), pair or (), strict=False
    ):
        ends = effect.low, effect.high
        dots.append(Dot(label, effect.value, *ends, effect.chance, kind))
    return heading, dots
