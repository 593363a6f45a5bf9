"""Every score as tables."""

import math
from collections.abc import Iterator, Sequence

from ..scores.complaints import LONG_NAMES
from ..scores.score import FAILURES, Score
from ..scores.severity import fails
from .blocks import Block, Paragraph, Table


def all_scores(scores: Sequence[Score]) -> Iterator[Block]:
    """Every score with chance and all baselines, a table a failure."""
    if not scores:
        return
    yield Paragraph(
        "Intervals are 95 % bootstrap intervals over documents. Baselines are scored "
        "on all items, including those too long for a row. The mode is how the model "
        "was asked."
    )
    for failure in FAILURES:
        mine = [score for score in scores if score.failure == failure]
        if mine:
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


def _mode(score: Score) -> str:
    return f"{score.mode}, {'trained' if score.trained else 'never trained'}"


def _number(value: int | float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"
