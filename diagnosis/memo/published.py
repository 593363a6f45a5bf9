"""The section of a memo about published tests."""

from collections.abc import Iterator

from ..probes.published.published import PublishedResult
from ..probes.published.published_test import PublishedScore
from ..probes.published.reporting import (
    beaten,
    best_baseline,
    shown_scores,
    unread_sentence,
)
from .blocks import Block, Fold, Heading, Items, Paragraph, Table, code
from .formatting import number

_HEAD = (
    *("test", "mode", "of", "metric", "value", "95 % interval", "chance"),
    *("untrained", "best baseline", "n"),
)


def published_blocks(result: PublishedResult | None) -> Iterator[Block]:
    """The scores of all questions and of the coarsest kinds; nothing if none is."""
    if result is None:
        return
    yield Heading(2, "Published tests")
    yield Paragraph(
        f"Read from {code(result.path)}. They are no evidence for or against a failure "
        "above; they place this model among others. ✗: the interval reaches chance, "
        "the same model untrained, or the best shallow baseline."
    )
    tests = [read.test for read in result.data.tests]
    rows = [_row(s) for test in tests for s in shown_scores(result.scores, test)]
    yield Table("Scores on published tests", _HEAD, rows, "llllrrrrrr")
    notes = [
        f"**{read.test.name}** ({read.test.paper}; licence {read.test.licence}): "
        f"{len(read.questions):,} of {read.available:,} {read.test.sample} were drawn. "
        f"{_published(read.test.published.get('all', {}))}{read.test.note}"
        for read in result.data.tests
    ]
    unread = unread_sentence(result.data)
    yield Items([*notes, *([unread] if unread else [])])


def published_fold(result: PublishedResult) -> Fold:
    """Every score on every level, for the appendix."""
    rows = [_row(score) for score in result.scores]
    table = Table("Every score on published tests", _HEAD, rows, "llllrrrrrr")
    return Fold("Published tests in full", [table])


def _row(score: PublishedScore) -> tuple[str, ...]:
    name, baseline = best_baseline(score)
    return (
        score.test,
        score.mode if score.trained else f"{score.mode} (never trained)",
        score.kind.replace("_", " "),
        score.metric,
        number(score.value) + ("" if beaten(score) else " ✗"),
        f"{number(score.low)} – {number(score.high)}",
        _optional(score.chance),
        _optional(score.untrained),
        "none" if baseline is None else f"{number(baseline)} ({name})",
        f"{score.items:,}",
    )


def _published(figures) -> str:
    if not figures:
        return ""
    listed = ", ".join(f"{who} {number(value)}" for who, value in figures.items())
    return f"Published: {listed}. "


def _optional(value: float | None) -> str:
    return "none" if value is None else number(value)
