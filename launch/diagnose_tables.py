"""What a diagnosis comes to, as tables for the terminal."""

import math
from collections.abc import Sequence

from rich.table import Table

from ..diagnosis.cause import Cause, percent
from ..diagnosis.propose import Change
from ..diagnosis.score import Score


def score_table(scores: Sequence[Score]) -> Table:
    """Every score with its interval, chance and baselines."""
    table = Table(title="Probes", caption="95 % bootstrap intervals over documents.")
    for column in ("failure", "probe", "kind", "metric"):
        table.add_column(column)
    for column in ("value", "95 % interval", "chance", "shallow", "documents"):
        table.add_column(column, justify="right")
    table.add_column("mode")
    for s in scores:
        best = max if s.better == "higher" else min
        shallow = [v for v in s.baselines.values() if not math.isnan(v)]
        table.add_row(
            s.failure,
            s.probe,
            s.kind,
            s.metric,
            f"{s.value:.3f}",
            f"[{s.low:.3f}, {s.high:.3f}]",
            "–" if s.chance is None else f"{s.chance:.2f}",
            f"{best(shallow):.3f}" if shallow else "–",
            f"{s.documents:,}",
            s.mode + ("" if s.trained else " (never trained)"),
        )
    return table


def cause_table(found: Sequence[Cause]) -> Table:
    """The causes, in the order in which they were checked."""
    table = Table(title="Causes")
    for column in ("cause", "verdict", "failures"):
        table.add_column(column)
    for cause in found:
        name = f"{cause.number} {cause.name}"
        table.add_row(name, cause.verdict, ", ".join(cause.failures))
    return table


def change_table(changes: Sequence[Change]) -> Table:
    """What is recommended for each objective."""
    table = Table(title="Recommended shares of the loss")
    for column in ("objective", "change", "for"):
        table.add_column(column)
    for column in ("before", "after"):
        table.add_column(column, justify="right")
    for change in changes:
        before, after = map(percent, change.loss)
        acts = change.failure or "room"
        table.add_row(change.name, change.action, acts, before, after)
    return table
