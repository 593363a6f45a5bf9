"""`sightline bench`: what a configuration costs, measured side by side in one run."""

import dataclasses
import itertools
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ..models.rows import Batch, RowShape
from ..tasks.layout import Placed, capacities, layout
from ..tasks.mixture import Mixture
from ..tasks.packing import first_fit
from ..tasks.vocabulary import vocabulary
from .cli import gin_parser, parse_gin
from .data import Data
from .mesh import MeshShape, make_mesh
from .program import Program

_ABOUT = """\
Time the train step on a mixture and on each of its tasks alone, in turns, with one
compiled program; then compare the packing with SeqIO's own on the same examples.

  sightline bench --gin_file=quickstart.gin
"""

BATCHES = 4
"""Different batches of each mixture."""

EXAMPLES = 2000
"""Examples to pack."""


def main(arguments: Sequence[str]) -> int:
    """Prints both tables; returns the exit status."""
    parser = gin_parser("bench", _ABOUT)
    parser.add_argument("--rounds", type=int, default=40, metavar="N")
    options, bindings = parse_gin(parser, arguments)

    from .config import load

    settings = load(options.gin_file, bindings).arguments(
        "train", run_dir="unused", config="unused"
    )
    console = Console()
    console.print(step_table(step_seconds(settings, rounds=options.rounds)))
    console.print(packing_table(packings(examples(settings), settings["rows"])))
    return 0


def step_seconds(
    settings: Mapping[str, Any], *, rounds: int
) -> dict[str, Float[np.ndarray, " rounds"]]:
    """Seconds of a train step on each mixture, one value a round.

    Every round takes one step on each mixture, so that a slow moment of the machine
    falls on all of them alike. One program is compiled, once, for all.

    Args:
      settings: arguments of `train`.
      rounds: steps of each mixture.
    """
    mixture: Mixture = settings["mixture"]
    program = Program(
        model=settings["model"],
        vocabulary_size=vocabulary(mixture.vocabulary).size,
        rows=settings["rows"],
        batch_rows=settings["batch_rows"],
        transformation=settings["optimizer"](settings["schedule"]),
        mesh=make_mesh(settings.get("mesh", MeshShape(data=-1))),
        microbatches=settings.get("microbatches", 1),
    )
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
            began = time.perf_counter()
            state, metrics = step(state, batch, each.loss_share_array())
            jax.block_until_ready(metrics)
            if round_ >= 0:  # the first round warms up
                seconds[name].append(time.perf_counter() - began)
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
        # Of each round by itself: what slows the machine slows both.
        ratio = np.median(values / seconds[reference])
        table.add_row(name, *(f"{x:.1f}" for x in figures), f"{ratio:.3f}")
    return table


class Packing(NamedTuple):
    """What a packer made of the Examples."""

    packer: str
    rows: int
    filled: float
    speed: float


def examples(settings: Mapping[str, Any]) -> list[Placed]:
    """The first Examples of a run, laid out.

    Args:
      settings: arguments of `train`.
    """
    shape, mixture = settings["rows"], settings["mixture"]
    place = layout(shape, bos=vocabulary(mixture.vocabulary).special_ids.bos)
    data = Data(mixture, shape, settings["batch_rows"])
    stream = itertools.islice(data.examples(seed=settings["seed"]), EXAMPLES)
    return list(map(place, stream))


def packings(placed: Sequence[Placed], shape: RowShape) -> list[Packing]:
    """First-fit's packing and SeqIO's, of the same Examples.

    All rows count, also those that are still open when the Examples end.
    """
    from ..tasks.seqio_packing import seqio_filled

    began = time.perf_counter()
    rows = list(first_fit(placed, shape))
    middle = time.perf_counter()
    seqio_rows, seqio_share = seqio_filled(placed, shape)
    end = time.perf_counter()
    slots = sum(capacities(shape)[::2])
    filled = sum(sum(example.sizes[::2]) for example in placed) / (len(rows) * slots)
    number = len(placed)
    return [
        Packing(
            "first-fit, every capacity", len(rows), filled, number / (middle - began)
        ),
        Packing("SeqIO, slots only", seqio_rows, seqio_share, number / (end - middle)),
    ]


def packing_table(found: Sequence[Packing]) -> Table:
    """Rows needed, how full they are, and how fast they were packed."""
    table = Table(title="Packing of the same examples")
    table.add_column("packer")
    for column in ("rows", "slots filled", "examples/s"):
        table.add_column(column, justify="right")
    for packer, rows, filled, speed in found:
        table.add_row(packer, f"{rows:,}", f"{filled:.2%}", f"{speed:,.0f}")
    return table


def _alone(mixture: Mixture) -> dict[str, Mixture]:
    """A mixture of each task by itself, with the same settings."""
    return {
        task: dataclasses.replace(
            mixture, name=task, rates={task: 1.0}, loss_shares=None
        )
        for task in mixture.positive_rates()
    }


def _some_batches(mixture: Mixture, settings: Mapping[str, Any]) -> list[Batch]:
    data = Data(mixture, settings["rows"], settings["batch_rows"])
    stream = data.training(seed=settings["seed"], skip=0)
    return list(itertools.islice(stream, BATCHES))
