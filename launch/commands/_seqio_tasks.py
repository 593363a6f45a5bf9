"""The SeqIO half of `sightline evaluate`: Tasks with their own metrics."""

import argparse
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from ...objectives.errors import UsageError, require_count
from ...tasks import host_tensorflow


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of an evaluation on SeqIO Tasks."""
    parser.add_argument(
        "--tasks",
        metavar="NAMES",
        help="SeqIO Tasks or mixtures instead of held-out text, separated by commas; "
        "their metric_fns are computed",
    )
    parser.add_argument(
        "--split",
        default="validation",
        metavar="NAME",
        help="of the Tasks (validation)",
    )
    parser.add_argument(
        "--examples", type=int, metavar="N", help="most of a Task, the first (all)"
    )


def check(options: argparse.Namespace) -> None:
    """Refuses options that do not go together, before anything is read."""
    if options.examples is not None:
        require_count("--examples", options.examples)
    if options.tasks is None:
        if options.examples is not None or options.split != "validation":
            raise UsageError("--split and --examples are of --tasks; give --tasks.")
        return
    given = (options.gin_file or None, options.batches, options.seed)
    if any(value is not None for value in given):
        raise UsageError(
            "--tasks measures SeqIO Tasks, and no held-out text with intervals; leave "
            "out --gin_file, --batches and --seed."
        )
    host_tensorflow.require("seqio")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """The metrics of a run's newest checkpoint on Tasks, as a record.

    Raises:
      UsageError: no run, or Tasks that cannot be measured.
    """
    from ..inference.open import load_trained
    from ..inference.seqio_metrics import seqio_metrics

    names = [name.strip() for name in options.tasks.split(",") if name.strip()]
    if not names:
        raise UsageError("--tasks names no Task; write --tasks=one,two.")
    trained = load_trained(Path(options.run_dir))
    print(f"{options.run_dir}: step {trained.step:,}.", file=sys.stderr)
    metrics = seqio_metrics(trained, names, split=options.split, most=options.examples)
    return {
        "run": options.run_dir,
        "step": trained.step,
        "split": options.split,
        "metrics": metrics,
    }


def table(record: Mapping[str, Any]) -> Table:
    """The record as a table: a row for each metric."""
    run, split = escape(record["run"]), escape(record["split"])
    title = f"{run}, step {record['step']:,}, split {split}"
    shown = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1))
    for column in ("task", "metric"):
        shown.add_column(column, no_wrap=True)
    shown.add_column("value", justify="right")
    for task, values in record["metrics"].items():
        for name, value in values.items():
            shown.add_row(task, name, f"{value:,.4f}" if math.isfinite(value) else "–")
    return shown
