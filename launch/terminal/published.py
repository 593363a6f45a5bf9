"""Scores on published tests, as tables for the terminal."""

from collections.abc import Iterator

from rich import box
from rich.markup import escape
from rich.table import Table

from ...diagnosis.probes.published.published import PublishedResult, ReadTest
from ...diagnosis.probes.published.published_test import PublishedScore
from ...diagnosis.probes.published.reporting import (
    beaten,
    best_baseline,
    shown_scores,
    unread_sentence,
)


def published_tables(
    result: PublishedResult, *, level: str | None = None
) -> Iterator[Table]:
    """A table a test: every mode, of all questions and of each kind at a level.

    Args:
      result: the scores.
      level: shown besides all questions; None, or none of a test's, for its coarsest.
    """
    for read in result.data.tests:
        yield _table(result, read, level)


def unread_note(result: PublishedResult) -> str:
    """Which files were not read."""
    return unread_sentence(result.data)


def _table(result: PublishedResult, read: ReadTest, level: str | None) -> Table:
    test = read.test
    title = f"{test.name}: {test.about}\n{test.paper}; {len(read.questions):,} of "
    table = Table(
        title=f"{title}{read.available:,} {test.sample}",
        caption=_caption(result, read),
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 0, 0, 1),
    )
    table.add_column("accuracy of", overflow="fold")
    for column in ("value", "95 %", "chance", "untrained", "best baseline", "n"):
        table.add_column(column, justify="right", no_wrap=True)
    mode = None
    for score in shown_scores(result.scores, test, level=level):
        if score.mode != mode:
            mode = score.mode
            table.add_section()
            table.add_row(f"[bold]{escape(mode)}[/]")
        name, baseline = best_baseline(score)
        table.add_row(
            f"  {escape(_what(score))}",
            f"{score.value:.3f}" + ("  " if beaten(score) else " [red]✗[/]"),
            f"{score.low:.3f}–{score.high:.3f}",
            "–" if score.chance is None else f"{score.chance:.3f}",
            "–" if score.untrained is None else f"{score.untrained:.3f}",
            "–" if baseline is None else f"{baseline:.3f} {name}",
            f"{score.items:,}",
        )
    return table


def _what(score: PublishedScore) -> str:
    """The kind of questions, and the metric if it is no plain accuracy."""
    kind = score.kind.replace("_", " ")
    if score.metric == "accuracy":
        return kind
    arrow = "" if score.better == "higher" else " ↓"
    return f"{kind}: {score.metric.removeprefix('accuracy, ')}{arrow}"


def _caption(result: PublishedResult, read: ReadTest) -> str:
    """Published figures, and how to read the table."""
    published = read.test.published.get("all", {})
    others = ", ".join(f"{who} {value:.3f}" for who, value in published.items())
    left_out = max(
        (s.left_out for s in result.scores if s.test == read.test.name), default=0
    )
    parts = [
        f"Published: {others}." if others else "",
        read.test.note,
        f"{left_out:,} do not fit the model's rows." if left_out else "",
        "✗: the interval reaches chance, the untrained model or a baseline.",
    ]
    return " ".join(part for part in parts if part)
