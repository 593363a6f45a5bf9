"""Terminal output of a run: shares and held-out losses."""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from jaxtyping import Float, Real
from rich.table import Table

from ...models.rows import Batch
from ...objectives.registry import objectives
from ...tasks.examples.mixture import Mixture, split_task
from ...tasks.shares.counts import Counts
from ..runs.goodput import summary
from ..terminal.goodput import goodput_line
from ..terminal.log import RunLog
from .evaluate import Evaluation, mean_by_rate

_LOG = logging.getLogger(__name__)


def measured_batches(batch_rows: int) -> int:
    """How many batches are measured for the table of shares: at most 2,048 rows."""
    return min(32, max(1, 2048 // batch_rows))


def names_of(present: Real[np.ndarray, " O"]) -> dict[str, int]:
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
      counts: of the measured batches.
      loss_shares: of each objective, as they enter the loss.
      utilisation: filled share of each capacity of a row.
    """
    filled = ", ".join(f"{name} {share:.1%}" for name, share in utilisation.items())
    table = Table(title="Shares", caption=f"Filled of each row: {filled}")
    table.add_column("objective")
    for column in ("examples", "processed tokens", "supervised tokens", "loss"):
        table.add_column(column, justify="right")
    shares = {**counts.shares(), "loss": loss_shares}
    for name, id_ in names_of(counts.examples).items():
        table.add_row(name, *(f"{share[id_]:.2%}" for share in shares.values()))
    return table


def evaluation_table(
    measured: Mapping[str, Evaluation], mixture: Mixture, *, step: int
) -> Table:
    """Held-out loss of each task beside its baseline.

    Args:
      measured: evaluations by task.
      mixture: of the tasks.
      step: of the measurement.
    """
    table = Table(
        title=f"Held-out, step {step}",
        caption="baseline: entropy of the targets, nats; gain over it; n predictions",
    )
    table.add_column("task", overflow="fold")  # gives way on a narrow screen
    for column in ("loss", "baseline", "gain", "accuracy", "n"):
        table.add_column(column, justify="right", no_wrap=True)
    for task, evaluation in measured.items():
        id_ = mixture.objective(split_task(task)[1]).id
        loss, baseline = evaluation.loss[id_], evaluation.baseline[id_]
        table.add_row(
            task,
            f"{loss:.4f}",
            f"{baseline:.4f}",
            f"[{'green' if loss < baseline else 'red'}]{baseline - loss:+.4f}",
            f"{evaluation.accuracy[id_]:.1%}",
            f"{evaluation.predictions[id_]:.0f}",
        )
    return table


def evaluation_record(
    measured: Mapping[str, Evaluation], mixture: Mixture
) -> dict[str, float]:
    """`eval/<task>/<figure>`, and each objective's means, `eval/<objective>/loss`.

    Args:
      measured: evaluations by task.
      mixture: of the tasks; its rates weigh the means.
    """
    record: dict[str, float] = {}
    for task, evaluation in measured.items():
        id_ = mixture.objective(split_task(task)[1]).id
        for field, values in evaluation._asdict().items():
            record[f"eval/{task}/{field}"] = float(values[id_])
    return record | record_of("eval", mean_by_rate(measured, mixture))


def show_lines(lines: Iterable[str]) -> None:
    """Logs lines as they are."""
    for line in lines:
        _LOG.info("%s", line)


def show_evaluation(
    log: RunLog, measured: Mapping[str, Evaluation], mixture: Mixture, *, step: int
) -> Table:
    """Prints the held-out losses, as lines of a JSON log too; returns their table.

    Args:
      log: of the run.
      measured: evaluations by task.
      mixture: of the tasks.
      step: of the measurement.
    """
    table = evaluation_table(measured, mixture, step=step)
    log.console.print(table)
    if log.kind == "json":
        for task, evaluation in measured.items():
            id_ = mixture.objective(split_task(task)[1]).id
            loss, baseline = evaluation.loss[id_], evaluation.baseline[id_]
            _LOG.info("held-out %s: loss %.4f, baseline %.4f", task, loss, baseline)
    return table


def show_complete(run_dir: str, *, step: int, steps: int) -> None:
    """Says that a run had done all its steps when it began, or more than it is to.

    Args:
      run_dir: the run's folder.
      step: steps done.
      steps: in all.
    """
    _LOG.info("All %s steps are done; %s is complete.", f"{steps:,}", run_dir)
    if step > steps:
        _LOG.warning(
            "%s has done %s steps, and train.steps is %s: nothing is trained, and its "
            "newest checkpoint is of step %s. For another run of %s steps give another "
            "--run_dir.",
            *(run_dir, f"{step:,}", f"{steps:,}", f"{step:,}", f"{steps:,}"),
        )


def show_end(run_dir: str, *, step: int, steps: int, reason: str) -> None:
    """Says why the run ended, and where its time went.

    Args:
      run_dir: the run's folder.
      step: steps done.
      steps: in all.
      reason: the signal that stopped it, if one did.
    """
    _LOG.info("%s", goodput_line(summary(run_dir)))
    if step < steps:
        _LOG.info(
            "Stopped by %s after step %s; rerun the same command to resume.",
            *(reason, f"{step:,}"),
            extra={"reason": reason},
        )
    else:
        _LOG.info("All %s steps are done.", f"{steps:,}", extra={"reason": "done"})


def not_evaluated(held_out: Mapping[str, Sequence[Batch]]) -> list[str]:
    """A line naming the tasks without a held-out loss, if any."""
    missing = [task for task, batches in held_out.items() if not batches]
    if not missing:
        return []
    if len(missing) == len(held_out):
        return ["No evaluation: train.eval_batches is 0, or no text is held out."]
    return [f"Not evaluated, for want of held-out text: {', '.join(missing)}."]


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
