"""`sightline evaluate`: measure a trained model on held-out text, beside baselines."""

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ...objectives.errors import UsageError, require_count, require_seed
from ..hosts.compilation_cache import use_compilation_cache
from ..terminal.json_text import json_text
from . import _seqio_tasks
from ._arguments import gin_parser, parse_gin

_ABOUT = """\
Measure the held-out loss of each task (corpus × objective) and of each objective, with
95 % bootstrap intervals over rows, beside the entropy of the targets: on the mixture
that the run was trained on, or on any other of the same vocabulary. With --tasks, the
metrics of SeqIO Tasks instead, of t5's or of your own (--import).

  sightline evaluate runs/mine
  sightline evaluate runs/mine --gin_file=five.gin --gin.masked.rate=0.3 --format=json
  sightline evaluate runs/mine --import=my_tasks --tasks=my_answers
"""


def main(arguments: Sequence[str]) -> int:
    """Prints a table or JSON; returns the exit status."""
    parser = gin_parser("evaluate", _ABOUT, files="optional")
    parser.add_argument("run_dir", metavar="RUN", help="a run with a checkpoint")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument(
        "--batches",
        type=int,
        metavar="N",
        help="most batches of a task (those of train.eval_batches)",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="of the bootstrap (0)")
    _seqio_tasks.add_options(parser)
    options, bindings = parse_gin(parser, arguments)
    _seqio_tasks.check(options)
    if options.seed is not None:
        require_seed("--seed", options.seed)
    if options.batches is not None:
        require_count("--batches", options.batches)
    if bindings and not options.gin_file:
        raise UsageError(
            "bindings change a mixture, and a run's own is as it was trained on; give "
            "the --gin_file of a mixture with them."
        )
    use_compilation_cache()
    if options.tasks is not None:
        record = _seqio_tasks.measure(options)
        shown = [_seqio_tasks.table(record)]
    else:
        record = held_out(options, bindings)
        shown = tables(record)
    if options.format == "json":
        print(json_text(record, indent=2))
    else:
        Console().print(*shown, sep="\n")
    return 0


def held_out(options: argparse.Namespace, bindings: Sequence[str]) -> dict[str, Any]:
    """The held-out losses of a run.

    Raises:
      UsageError: no run, a mixture of another vocabulary, or no held-out text.
    """
    from ..configuration.config import load
    from ..configuration.mixture import mixture_of
    from ..inference.asked import AskedModel
    from ..inference.held_out_batches import held_out_batches
    from ..inference.held_out_losses import held_out_losses
    from ..inference.open import load_trained, run_config

    run_dir = Path(options.run_dir)
    settings = run_config(run_dir).arguments("train", run_dir="", config="")
    if options.gin_file:
        mixture = mixture_of(load(options.gin_file, bindings))
        _check_vocabulary(mixture.vocabulary, settings["mixture"].vocabulary)
        settings |= {"mixture": mixture, "data": None}
    batches = held_out_batches(settings, most=options.batches)
    if not any(batches.values()):
        raise UsageError(
            f"no task of mixture {settings['mixture'].name!r} has held-out text for "
            "these rows; give --gin_file=FILE, with a corpus that has a validation "
            "split (a folder of text: text.validation_percent above 0)."
        )
    asked = AskedModel(load_trained(run_dir))
    print(f"{run_dir}: step {asked.trained.step:,}.", file=sys.stderr)
    losses = held_out_losses(
        asked, settings["mixture"], batches, seed=options.seed or 0
    )
    return {
        "run": str(run_dir),
        "step": asked.trained.step,
        "mixture": settings["mixture"].name,
        "tasks": [each._asdict() for each in losses.tasks],
        "objectives": [each._asdict() for each in losses.objectives],
        "not_evaluated": [task for task, found in batches.items() if not found],
    }


def tables(record: Mapping[str, Any]) -> list[Table]:
    """The record as tables, of tasks and of objectives."""
    run, mixture = escape(record["run"]), escape(record["mixture"])
    title = f"{run}, step {record['step']:,}, mixture {mixture}"
    caption = (
        "Losses in nats; 95 % intervals over rows. Baseline: entropy of the targets, "
        "the loss of a model that knows only how often each is the answer. ✗: not "
        "below it. n: predictions."
    )
    missing = record["not_evaluated"]
    if missing:
        caption += f" No held-out text: {', '.join(missing)}."
    tasks = _table(title, "task", record["tasks"])
    objectives = _table("", "objective", record["objectives"])
    objectives.caption = caption
    return [tasks, objectives]


def _table(title: str, what: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(
        title=title or None, box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 0, 0, 1)
    )
    table.add_column(what, overflow="fold")  # figures are never cut
    for column in ("loss", "95 %", "baseline", "accuracy", "n"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        baseline = row["baseline"]
        worse = not math.isnan(baseline) and not row["loss"] < baseline
        table.add_row(
            row["name"],
            f"{row['loss']:.3f}" + (" [red]✗[/]" if worse else "  "),
            f"{row['low']:.3f}–{row['high']:.3f}",
            "–" if math.isnan(baseline) else f"{baseline:.3f}",
            f"{row['accuracy']:.1%}",
            f"{row['predictions']:,}",
        )
    return table


def _check_vocabulary(name: str, trained: str) -> None:
    from ...tasks.tokens.vocabulary import vocabulary

    if vocabulary(name).digest != vocabulary(trained).digest:
        raise UsageError(
            f"the mixture's vocabulary is {name!r}, and the run was trained with "
            f"{trained!r}, whose ids mean other things; bind "
            f"--gin.Mixture.vocabulary=\"'{trained}'\"."
        )
