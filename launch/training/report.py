"""What a run shows in the terminal: shares, held-out losses, progress."""

import math
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from ...objectives.registry import objectives
from ...tasks.shares.counts import Counts
from .evaluate import Evaluation


def names_of(present: Float[np.ndarray, " O"]) -> dict[str, int]:
    """The objectives with a positive value, `{name: id}`."""
    return {name: o.id for name, o in objectives().items() if present[o.id] > 0}


def share_table(
    counts: Counts,
    loss_shares: Float[np.ndarray, " O"],
    *,
    utilisation: Mapping[str, float],
) -> Table:
    """Each objective's share of examples, processed and supervised tokens, and loss.

    Args:
      counts: of the batches that were measured.
      loss_shares: of each objective, as they enter the loss.
      utilisation: filled share of each capacity of a row.
    """
    filled = ", ".join(f"{name} {share:.1%}" for name, share in utilisation.items())
    table = Table(title="Shares", caption=f"Filled of each row: {filled}")
    table.add_column("objective")
    for column in ("examples", "processed tokens", "supervised tokens", "loss"):
        table.add_column(column, justify="right")
    shares = {**counts.shares(), "loss": loss_shares}
    for name, number in names_of(loss_shares).items():
        table.add_row(name, *(f"{share[number]:.2%}" for share in shares.values()))
    return table


def evaluation_table(evaluation: Evaluation, *, step: int) -> Table:
    """Held-out loss of each objective beside its baseline."""
    table = Table(title=f"Held-out, step {step}")
    table.add_column("objective")
    for column in ("loss", "baseline", "below it by", "accuracy", "predictions"):
        table.add_column(column, justify="right")
    for name, number in names_of(evaluation.weight).items():
        loss, baseline = evaluation.loss[number], evaluation.baseline[number]
        table.add_row(
            name,
            f"{loss:.4f}",
            f"{baseline:.4f}",
            f"[{'green' if loss < baseline else 'red'}]{baseline - loss:+.4f}",
            f"{evaluation.accuracy[number]:.1%}",
            f"{evaluation.weight[number]:.0f}",
        )
    return table


def progress_bar(console: Console) -> Progress:
    """A bar with steps, loss, tokens a second and the time left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.3f}"),
        TextColumn("{task.fields[speed]:,.0f} tokens/s"),
        TimeRemainingColumn(),
        console=console,
    )


def record_of(
    prefix: str, values: Mapping[str, Float[np.ndarray, " O"]]
) -> dict[str, float]:
    """Flattens arrays over objectives to `prefix/<objective>/<name>`, without NaN."""
    return {
        f"{prefix}/{name}/{field}": float(array[o.id])
        for name, o in objectives().items()
        for field, array in values.items()
        if math.isfinite(array[o.id])
    }
