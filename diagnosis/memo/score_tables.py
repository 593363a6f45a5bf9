"""Scores as tables: those to read first, and at the memo's end every one."""

import math
from collections.abc import Iterator, Sequence

from ..revision.remedies import title
from ..scores.complaints import LONG_NAMES
from ..scores.headlines import headlines
from ..scores.score import FAILURES, Failure, Score
from ..scores.severity import fails, perfect, reference
from .blocks import Block, Heading, Paragraph, Table


def main_scores(failure: Failure, scores: Sequence[Score]) -> Table:
    """The headlines of a failure, each beside the most that it has to beat."""
    return Table(
        f"Main scores of {LONG_NAMES[failure]}; ✗ where the interval reaches what it "
        "has to beat: a guess, or the best shallow baseline; of what "
        "is marked ↓ less is better",
        ("probe", "of", "metric", "value", "95 % interval", "to beat", "mode"),
        tuple(map(_main, headlines(scores))),
        ("left", "left", "left", "right", "right", "left", "left"),
    )


def all_scores(scores: Sequence[Score]) -> Iterator[Block]:
    """Every score with chance and all baselines, a table a failure."""
    if not scores:
        return
    yield Heading(2, "All scores")
    yield Paragraph(
        "Intervals are of the bootstrap over documents, 95 %. Baselines answered all "
        "items, also those that rows cannot hold. A mode is how the model was asked."
    )
    for failure in FAILURES:
        mine = [score for score in scores if score.failure == failure]
        if mine:
            yield Heading(3, f"{title(failure)}: every score")
            yield Table(
                f"Scores of {LONG_NAMES[failure]}; ✗ where the interval reaches chance "
                "or the best shallow baseline",
                (
                    "probe",
                    "of",
                    "metric",
                    "value",
                    "95 % interval",
                    "chance",
                    "baselines",
                    "mode",
                    "items / documents",
                ),
                tuple(map(_scored, mine)),
                (*_LEFT, "right", "right", "right", "left", "left", "right"),
            )


_LEFT = ("left", "left", "left")


def _main(score: Score) -> tuple[str, ...]:
    return (
        score.probe,
        score.kind,
        score.metric + ("" if score.better == "higher" else " ↓"),
        *_measured(score),
        _to_beat(score),
        _mode(score),
    )


def _scored(score: Score) -> tuple[str, ...]:
    baselines = ", ".join(f"{n} {_number(v)}" for n, v in score.baselines.items())
    return (
        score.probe,
        score.kind,
        f"{score.metric} ({score.better} is better)",
        *_measured(score),
        "none" if score.chance is None else _number(score.chance),
        baselines or "none",
        _mode(score),
        f"{score.items:,} / {score.documents:,}",
    )


def _measured(score: Score) -> tuple[str, str]:
    """The value, marked where it fails, and its interval."""
    if not math.isfinite(score.value):
        return "not measured", "–"
    mark = " ✗" if fails(score) else ""
    between = f"{_number(score.low)} – {_number(score.high)}"
    return f"{_number(score.value)}{mark}", between


def _to_beat(score: Score) -> str:
    wanted = reference(score)
    if wanted is None or wanted == perfect(score):
        return "none"
    names = [name for name, value in score.baselines.items() if value == wanted]
    name = "a guess" if score.chance == wanted else names[0]
    return f"{_number(wanted)}, {name}"


def _mode(score: Score) -> str:
    return f"{score.mode}, {'trained' if score.trained else 'never trained'}"


def _number(value: int | float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"
