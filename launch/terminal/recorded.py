"""A recording in the terminal: its progress, and what it holds."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from ...tasks.recorded.manifest import GroupRows, Manifest
from ...tasks.recorded.serving import ServingCost


class RecordingBar:
    """The progress of a recording, phase after phase."""

    def __init__(self, bar: Progress):
        self._bar = bar
        self._task: TaskID | None = None
        self._rows = 0

    def phase(self, name: str, total: int) -> None:
        """A phase of `total` jobs begins, or goes on with so many more."""
        if self._task is not None:
            self._bar.update(self._task, visible=False)
        self._task = self._bar.add_task(name, total=total, rows="")
        if not self._bar.console.is_terminal:
            self._bar.console.print(f"{name}: {total:,} parts", highlight=False)

    def done(self, rows: int) -> None:
        """A job is done that made so many rows."""
        assert self._task is not None
        self._rows += rows
        shown = f"{self._rows:,} rows" if self._rows else ""
        self._bar.update(self._task, advance=1, rows=shown)


@contextlib.contextmanager
def recording_bar(console: Console) -> Iterator[RecordingBar]:
    """Shows a recording's progress while the context lasts; in a log, its phases."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rows]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        yield RecordingBar(bar)


def summary(manifest: Manifest, folder: Path) -> Table:
    """What the recording is, in a few lines."""
    recipe = manifest.recipe
    shards = [shard for group in manifest.groups for shard in group.shards]
    rows = sum(group.rows for group in manifest.of_split("train"))
    size = sum(shard.bytes for shard in shards)
    table = Table(title=f"Recording {escape(str(folder))}", show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    lines = {
        "identity": manifest.identity,
        "layout": recipe["layout"],
        "training rows": f"{rows:,}",
        "bytes": f"{size:,} in {len(shards):,} shards",
        "row": _capacities(recipe["rows"]),
        "seed": str(recipe["seed"]),
        "vocabulary": "{size:,} ids, sha256 {sha256}".format(**recipe["vocabulary"]),
        **recipe["identities"],
    }
    for name, value in lines.items():
        table.add_row(name, value)
    return table


def groups_table(manifest: Manifest) -> Table:
    """Rows of each group and how full they are; what they hold of each objective."""
    table = Table(title="Groups of rows")
    table.add_column("group", overflow="fold")
    for column in ("rows", "filled", "examples", "slots", "predicted"):
        table.add_column(column, justify="right")
    rows = manifest.recipe["rows"]
    slots = rows["decoder"][0] + (rows["encoder"] or [0])[0]
    for split, title in (("train", ""), ("validation", "held out")):
        table.add_section()
        if title:
            table.add_row(title)
        for group in manifest.of_split(split):
            filled = sum(group.processed.values()) / max(1, group.rows * slots)
            shown = compact(group.rows), f"{filled:.1%}"
            objectives = list(group.examples)
            if len(objectives) == 1:
                table.add_row(group.name, *shown, *_counts(group, objectives[0]))
            else:
                table.add_row(group.name, *shown)
                for objective in objectives:
                    row = "", "", *_counts(group, objective)
                    table.add_row(f"  {objective}", *row)
            if group.without_example:
                without = compact(group.without_example)
                table.add_row(f"  windows without an Example: {without}")
    return table


def serving_table(cost: ServingCost, *, rates: str = "the recorded rates") -> Table:
    """What mixing rows at serve time costs in fill, against mixed rows.

    Args:
      cost: measured.
      rates: where those it was measured at are from.
    """
    table = Table(
        title="Rows mixed when served",
        caption=f"At {rates}. Packed together: the same Examples in common rows.",
    )
    table.add_column("group", overflow="fold")
    for column in ("share of\nexamples", "examples\na row", "share of\nrows", "filled"):
        table.add_column(column, justify="right")
    for line in cost.groups:
        table.add_row(
            line.name,
            f"{line.examples:.2%}",
            f"{line.examples_a_row:.2f}",
            f"{line.rows:.2%}",
            f"{line.filled:.1%}",
        )
    table.add_section()
    table.add_row("mixed when served", "", "", "", f"{cost.filled:.1%}")
    if cost.mixed is not None:
        table.add_row("packed together", "", "", "", f"{cost.mixed:.1%}")
    return table


def _counts(group: GroupRows, objective: str) -> list[str]:
    counts = (group.examples, group.processed, group.supervised)
    return [compact(count.get(objective, 0)) for count in counts]


def compact(count: int) -> str:
    """A count in at most six characters, as 9,876 or 100.2k."""
    if count < 10_000:
        return f"{count:,}"
    units = ((1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T"))
    # 999,960 would round to 1000.0k.
    size, unit = max(((s, u) for s, u in units if count >= 0.99995 * s))
    return f"{count / size:.1f}{unit}"


def _capacities(rows: dict[str, list[int] | None]) -> str:
    parts = [
        f"{name} {capacity[0]} slots, {capacity[1]} predictions"
        for name, capacity in rows.items()
        if capacity
    ]
    return "; ".join(parts)
