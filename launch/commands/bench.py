"""`sightline bench`: time a configuration's steps, packing or data."""

import dataclasses
import itertools
import time
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import Float
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ...models.rows import Batch
from ...objectives.errors import UsageError, require_count
from ...tasks.examples.mixture import Mixture
from ...tasks.rows.layout import Placed, layout
from ...tasks.shares.packers import packings
from ...tasks.tokens.vocabulary import vocabulary
from ..terminal.data_speed import speed_table, wait_table
from ..terminal.packing import packing_table
from ..training.data import Streaming
from ..training.program import program_of
from ._arguments import gin_parser, parse_gin
from ._data_speed import T5, data_speeds
from ._data_wait import data_waits

_ABOUT = """\
Time the train step on a mixture and on each of its tasks alone, in turns, with one
compiled program; then compare the packing with SeqIO's own on the same examples.
With --data, time the data instead: how many tokens a second are made for training,
beside t5's preprocessors with SeqIO's packing on the same text, and which share of a
step a short run waits for its data. With --recording, also for recorded rows.

  sightline bench --gin_file=quickstart.gin
  sightline bench --gin_file=quickstart.gin --data --recording=rows/quickstart
"""

BATCHES = 4
"""Distinct batches of each mixture."""

EXAMPLES = 2000
"""Examples to pack."""


def main(arguments: Sequence[str]) -> int:
    """Prints the tables; returns the exit status."""
    parser = gin_parser("bench", _ABOUT)
    parser.add_argument(
        "--rounds", type=int, default=40, metavar="N", help="turns of each (40)"
    )
    parser.add_argument("--data", action="store_true", help="time the data instead")
    parser.add_argument(
        "--recording",
        metavar="DIR",
        help="with --data: recorded rows to time too (those of train.data)",
    )
    options, bindings = parse_gin(parser, arguments)
    require_count("--rounds", options.rounds)
    if options.recording is not None and not options.data:
        raise UsageError("--recording is timed with --data only; add --data.")

    from ..configuration.config import load

    settings = load(options.gin_file, bindings).arguments(
        "train", run_dir="unused", config="unused"
    )
    console = Console()
    if options.data:
        recording = options.recording or settings.get("data")
        waits = data_waits(settings, recording=recording)  # finds what is wrong first
        speeds = data_speeds(settings, rounds=options.rounds, recording=recording)
        reference = T5 if T5 in speeds else None
        console.print(speed_table(speeds, reference=reference))
        console.print(wait_table(waits))
        return 0
    console.print(step_table(step_seconds(settings, rounds=options.rounds)))
    console.print(packing_table(packings(examples(settings), settings["rows"])))
    return 0


def step_seconds(
    settings: Mapping[str, Any], *, rounds: int
) -> dict[str, Float[np.ndarray, " rounds"]]:
    """Seconds of a train step on each mixture, one value per round.

    Every round takes one step on each mixture, so that a slow moment of the machine
    affects all of them alike. One program is compiled for all.

    Args:
      settings: arguments of `train`.
      rounds: steps of each mixture.
    """
    mixture: Mixture = settings["mixture"]
    program = program_of(settings)
    mixtures = {mixture.name: mixture, **_alone(mixture)}
    batches = {
        name: [program.place(b) for b in _some_batches(each, settings)]
        for name, each in track(mixtures.items(), "Reading text", transient=True)
    }
    step, state = program.compile_train_step(), program.initial_state()
    seconds: dict[str, list[float]] = {name: [] for name in mixtures}
    for round_ in track(range(-1, rounds), "Timing steps", transient=True):
        for name, each in mixtures.items():
            batch = batches[name][round_ % BATCHES]
            start = time.perf_counter()
            state, metrics = step(state, batch, each.loss_share_array())
            jax.block_until_ready(metrics)
            if round_ >= 0:  # the first round warms up
                seconds[name].append(time.perf_counter() - start)
    return {name: np.array(values) for name, values in seconds.items()}


def step_table(seconds: Mapping[str, Float[np.ndarray, " rounds"]]) -> Table:
    """Median and spread of each mixture's step, and its ratio to causal alone."""
    reference = next((n for n in seconds if n.endswith(".causal")), next(iter(seconds)))
    table = Table(title="Train step, one compiled program", caption="ms; in turns")
    table.add_column("mixture", no_wrap=True)
    for column in ("median", "10 %", "90 %", f"ratio to {reference}"):
        table.add_column(column, justify="right")
    for name, values in seconds.items():
        figures = 1e3 * np.quantile(values, [0.5, 0.1, 0.9])
        # Per round: what slows the machine slows both.
        ratio = np.median(values / seconds[reference])
        table.add_row(name, *(f"{x:.1f}" for x in figures), f"{ratio:.3f}")
    return table


def examples(settings: Mapping[str, Any]) -> list[Placed]:
    """The first Examples of a run, laid out.

    Args:
      settings: arguments of `train`.
    """
    shape, mixture = settings["rows"], settings["mixture"]
    place = layout(shape, bos=vocabulary(mixture.vocabulary).special_ids.bos)
    data = Streaming(mixture, shape, settings["batch_rows"])
    stream = itertools.islice(data.examples(seed=settings["seed"]), EXAMPLES)
    return list(map(place, stream))


def _alone(mixture: Mixture) -> dict[str, Mixture]:
    """A mixture of each task by itself, with the same settings."""
    return {
        task: dataclasses.replace(
            mixture,
            name=task,
            rates={task: 1.0},
            corpora={},
            loss_shares=None,
            schedule={},
        )
        for task in mixture.positive_rates()
    }


def _some_batches(mixture: Mixture, settings: Mapping[str, Any]) -> list[Batch]:
    rows, batch_rows = settings["rows"], settings["batch_rows"]
    data = Streaming(mixture, rows, batch_rows, workers=0)
    stream = data.training(seed=settings["seed"], position=None)
    return [batch for batch, _ in itertools.islice(stream, BATCHES)]
