"""`sightline bench`: time a configuration's steps, attention, data, saves or start."""

import argparse
import os
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from ...objectives.errors import UsageError, require_count
from ...tasks.shares.packers import packings
from ..terminal.data_speed import speed_table, wait_table
from ..terminal.packing import packing_table
from ..terminal.timings import (
    attention_table,
    population_table,
    save_table,
    start_table,
    step_table,
)
from ._arguments import gin_parser, parse_gin
from ._attention_speed import PLAIN, attention_speeds
from ._data_speed import T5, data_speeds
from ._data_wait import data_waits
from ._huggingface import THEIRS, huggingface_speeds
from ._population_speed import population_seconds
from ._save_cost import checkpoint_period, save_costs
from ._start_cost import start_costs
from ._step_speed import StepSpeed, examples, step_speeds

_ABOUT = """\
Time the train step on a mixture, on its Examples unpacked, and on each of its tasks
alone, in turns, with one compiled program; then compare the packing with SeqIO's own on
the same Examples. Or time something else:

  --attention
            one layer's attention with its gradients, by every implementation that runs
            on this device, on the intervals of the configuration's rows
  --data    how many tokens a second are made for training, beside t5's preprocessors
            with SeqIO's packing on the same text, and which share of a step a short run
            waits for its data; with --recording, also for recorded rows
  --saves   what a checkpoint takes from the steps around it
  --huggingface
            the train step beside Hugging Face's on the same shapes, if torch and
            transformers are installed
  --population=4,8
            proxies trained side by side in one program, against one after another
  --start   how long a run takes to its first step, with programs compiled before,
            without, and resumed

  sightline bench --gin_file=quickstart.gin
  sightline bench --gin_file=quickstart.gin --data --recording=rows/quickstart
"""

EXAMPLES = 2000
"""Examples to pack."""


def main(arguments: Sequence[str]) -> int:
    """Prints the tables; returns the exit status."""
    options, bindings = _options(arguments)

    from ._train_settings import train_settings

    settings = train_settings(options.gin_file, bindings)
    console, rounds = Console(), options.rounds
    if options.data:
        _time_data(settings, options, console)
    elif options.attention:
        speeds = attention_speeds(settings, rounds=rounds or 40)
        console.print(attention_table(speeds, reference=PLAIN))
    elif options.saves:
        costs = save_costs(settings, rounds=rounds or 10)
        console.print(save_table(costs, period=checkpoint_period(settings)))
    elif options.start:
        costs = start_costs(
            options.gin_file, bindings, imports=options.imports, rounds=rounds or 5
        )
        console.print(start_table(costs))
    elif options.population is not None:
        sizes = _sizes(options.population)
        console.print(
            population_table(
                population_seconds(settings, sizes=sizes, rounds=rounds or 40)
            )
        )
    elif options.huggingface:
        # Torch needs memory of the same GPU.
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        speeds = huggingface_speeds(settings, rounds=rounds or 40)
        console.print(_table(speeds, reference=THEIRS))
    else:
        _time_steps(settings, console, rounds=rounds or 40)
    return 0


def _options(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = gin_parser("bench", _ABOUT)
    parser.add_argument(
        "--rounds",
        type=int,
        metavar="N",
        help="turns of each (40; of --saves 10, of --start 5)",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--attention", action="store_true", help="time attention")
    what.add_argument("--data", action="store_true", help="time the data")
    what.add_argument("--saves", action="store_true", help="time checkpoints")
    what.add_argument(
        "--huggingface", action="store_true", help="time Hugging Face's step too"
    )
    what.add_argument("--population", metavar="K,K", help="time proxies side by side")
    what.add_argument("--start", action="store_true", help="time starts")
    parser.add_argument(
        "--recording",
        metavar="DIR",
        help="with --data: recorded rows to time too (those of train.data)",
    )
    options, bindings = parse_gin(parser, arguments)
    if options.rounds is not None:
        require_count("--rounds", options.rounds)
    if options.recording is not None and not options.data:
        raise UsageError("--recording is timed with --data only; add --data.")
    return options, bindings


def _sizes(text: str) -> tuple[int, ...]:
    words = text.split(",")
    if not all(word.strip().isdecimal() for word in words):
        raise UsageError(
            f"--population is {text!r}; give numbers of proxies, as in --population=4,8"
        )
    return tuple(map(int, words))


def _time_steps(settings: Mapping[str, Any], console: Console, *, rounds: int) -> None:
    speeds = step_speeds(settings, rounds=rounds)
    causal = (name for name in speeds if name.endswith(".causal"))
    console.print(_table(speeds, reference=next(causal, next(iter(speeds)))))
    placed = examples(settings, most=EXAMPLES)
    console.print(packing_table(packings(placed, settings["rows"])))


def _table(speeds: Mapping[str, StepSpeed], *, reference: str) -> Table:
    return step_table(
        {name: speed.seconds for name, speed in speeds.items()},
        tokens={name: speed.tokens for name, speed in speeds.items()},
        shortest=speeds[reference].shortest,
        reference=reference,
    )


def _time_data(
    settings: Mapping[str, Any], options: argparse.Namespace, console: Console
) -> None:
    recording = options.recording or settings.get("data")
    waits = data_waits(settings, recording=recording)  # finds what is wrong first
    speeds = data_speeds(settings, rounds=options.rounds or 40, recording=recording)
    reference = T5 if T5 in speeds else None
    console.print(speed_table(speeds, reference=reference))
    console.print(wait_table(waits))
