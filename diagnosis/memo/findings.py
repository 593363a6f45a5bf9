"""What is found: what reviewers counted, and what probes scored."""

import math
from collections.abc import Iterator

from ..causes.cause import percent
from ..results.effects import Effect, compared
from ..revision.remedies import title
from ..scores.complaints import LONG_NAMES, Complaint, interval
from ..scores.headlines import headlines
from ..scores.score import FAILURES, Failure, Score
from .blocks import Block, Figure, Heading, Paragraph, Table, code
from .given import Memo
from .pictures import Dot, score_dots
from .score_tables import main_scores


def findings(memo: Memo) -> Iterator[Block]:
    """The findings: reviewers' table, a table a failure, and the picture of both."""
    yield Heading(2, "Findings")
    if memo.complaints:
        yield Table(
            "What reviewers found; 95 % intervals are Wilson's",
            ("failure", "texts", "of", "share", "95 % interval"),
            tuple(map(_counted, memo.complaints)),
            ("left", "right", "right", "right", "right"),
        )
    yield Figure(
        score_dots(_groups(memo)),
        "Failure scores with 95 % intervals, before and after. “After” is what the "
        "study measured of a revised mixture, on small models of its own; this "
        "checkpoint was not trained on it.",
    )
    for failure in _asked(memo):
        yield Heading(3, title(failure))
        scores = [score for score in memo.scores if score.failure == failure]
        if not scores:
            yield Paragraph("Not measured: no probe of this failure was scored.")
        else:
            yield main_scores(failure, scores)
        yield from _study(memo, failure)


def _asked(memo: Memo) -> list[Failure]:
    """Failures that are complained of or scored; all three where none is."""
    said = {c.failure for c in memo.complaints} | {s.failure for s in memo.scores}
    return [failure for failure in FAILURES if failure in said or not said]


def _counted(complaint: Complaint) -> tuple[str, ...]:
    name, share = LONG_NAMES[complaint.failure], complaint.share
    found = interval(complaint)
    if share is None or found is None:
        return name, "named", "–", "not counted", "–"
    low, high = found
    counts = f"{complaint.count:,}", f"{complaint.total:,}"
    return name, *counts, percent(share), f"{percent(low)} – {percent(high)}"


def _study(memo: Memo, failure: Failure) -> Iterator[Block]:
    """What the study's mixes came to on a failure, where one was run."""
    if not memo.effects.mixes:
        yield Paragraph("Effect of other mixtures on it: not measured yet.")
        return
    rows = [
        (
            code(name),
            f"{effect.probe}, {effect.metric} ({effect.better} is better)",
            f"{effect.value:.3f}",
            f"{effect.low:.3f} – {effect.high:.3f}",
            f"{effect.seeds}",
        )
        for name, mix in memo.effects.mixes.items()
        if (effect := mix.effect(failure)) is not None
    ]
    if not rows:
        yield Paragraph("Effect of other mixtures on it: not measured in the study.")
        return
    yield Table(
        f"What mixes of the study came to, at {memo.effects.tokens:,} processed tokens "
        f"each, on {code(memo.effects.corpus)}; its incumbent is "
        f"{code(memo.effects.incumbent)}",
        ("mix", "probe", "value", "ends of the seeds’ 95 % intervals", "seeds"),
        tuple(rows),
        ("left", "left", "right", "right", "right"),
    )


def _groups(memo: Memo) -> list[tuple[str, list[Dot]]]:
    groups = []
    for failure in _asked(memo):
        scores = headlines([s for s in memo.scores if s.failure == failure])
        dots = [_dot(score) for score in scores if _fits(score)]
        if not dots:
            dots = [_missing("this checkpoint", "here")]
        groups.append((title(failure), [*dots, *_before_after(memo, failure)]))
    return groups


def _fits(score: Score) -> bool:
    """Whether a score can be drawn on an axis from 0 to 1."""
    return not math.isfinite(score.value) or 0 <= score.value <= 1


def _dot(score: Score) -> Dot:
    baselines = [v for v in score.baselines.values() if math.isfinite(v)]
    best = max if score.better == "higher" else min
    sign = "" if score.better == "higher" else " ↓"
    return Dot(
        f"{score.probe}, {score.kind}: {score.metric}{sign}",
        score.value,
        score.low,
        score.high,
        score.chance,
        best(baselines) if baselines else None,
        "here",
    )


def _before_after(memo: Memo, failure: Failure) -> Iterator[Dot]:
    """The study's incumbent, and the mix that the proposal follows or comes nearest."""
    mix = memo.proposal.precedent or nearest_mix(memo)
    pair = compared(memo.effects, mix, failure) if mix else None
    if pair is None:
        yield _missing("after: a revised mixture, in the study", "after")
        return
    names = f"study’s {memo.effects.incumbent}", f"study’s {mix}"
    for name, effect, kind in zip(names, pair, ("before", "after"), strict=True):
        yield _effect_dot(name, effect, kind)


def nearest_mix(memo: Memo) -> str | None:
    """The study's mix that has the most of the loss alike with the proposal."""
    wanted = memo.proposal.mixture.loss_shares or {}
    alike = {
        name: sum(min(s, wanted.get(n, 0.0)) for n, s in mix.loss_shares.items())
        for name, mix in memo.effects.mixes.items()
        if name != memo.effects.incumbent
    }
    return max(alike, key=lambda name: alike[name]) if alike else None


def _effect_dot(name: str, effect: Effect, kind: str) -> Dot:
    sign = "" if effect.better == "higher" else " ↓"
    label = f"{name}: {effect.probe}{sign}"
    value, low, high = effect.value, effect.low, effect.high
    return Dot(label, value, low, high, effect.chance, None, kind)


def _missing(label: str, kind: str) -> Dot:
    return Dot(label, None, math.nan, math.nan, None, None, kind)
