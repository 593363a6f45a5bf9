"""How long the train step of a configuration takes, on its mixture and on others."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from rich.progress import track

from ...models.rows import Batch
from ...tasks.examples.mixture import Mixture
from ...tasks.rows.layout import Placed, layout
from ...tasks.rows.packing import collate
from ...tasks.tokens.vocabulary import vocabulary
from ..pods.plan.devices import speeds_of
from ..pods.plan.model_operations import model_operations
from ..training.data import Streaming
from ..training.program import Program, program_of
from ._batches import BATCHES, Steps, some_batches


class StepSpeed(NamedTuple):
    """The train step on one kind of batch.

    Attributes:
      seconds: of a step, in each round.
      tokens: filled slots of a batch, of both streams.
      shortest: seconds that the model's operations take at the devices' peak; None
        where that is not known.
    """

    seconds: Float[np.ndarray, " rounds"]
    tokens: float
    shortest: float | None = None


def step_speeds(settings: Mapping[str, Any], *, rounds: int) -> dict[str, StepSpeed]:
    """The train step on a mixture, on its rows unpacked, and on each task alone.

    Every round takes one step on each, so that a slow moment of the machine affects
    all of them alike. One program is compiled for all.

    Args:
      settings: arguments of `train`.
      rounds: steps of each.
    """
    mixture: Mixture = settings["mixture"]
    program = program_of(settings)
    kinds = {
        mixture.name: (mixture, some_batches(mixture, settings)),
        f"{mixture.name}, unpacked": (mixture, unpacked_batches(settings)),
    }
    for name, each in track(alone(mixture).items(), "Reading text", transient=True):
        kinds[name] = each, some_batches(each, settings)
    placed = {
        name: [program.place(batch) for batch in batches]
        for name, (_, batches) in kinds.items()
    }
    steps = Steps(program)
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    for round_ in track(range(-1, rounds), "Timing steps", transient=True):
        for name, (each, _) in kinds.items():
            batch = placed[name][round_ % BATCHES]
            spent = steps.seconds(batch, each.loss_share_array())
            if round_ >= 0:  # the first round warms up
                seconds[name].append(spent)
    shortest = shortest_seconds(program)
    return {
        name: StepSpeed(np.array(seconds[name]), mean_filled(batches), shortest)
        for name, (_, batches) in kinds.items()
    }


def shortest_seconds(program: Program) -> float | None:
    """Seconds of a step at the peak of its devices; MFU is their share of a step."""
    devices = program.mesh.devices
    speeds = speeds_of(devices.flat[0].device_kind)
    if speeds is None:
        return None
    return model_operations(program) / (speeds.flops * devices.size)


def mean_filled(batches: Sequence[Batch]) -> float:
    """Filled slots of a batch, on average."""
    return float(np.mean([*map(filled, batches)]))


def filled(batch: Batch) -> int:
    """Slots of a batch that hold a token, of both streams."""
    streams = [
        stream for stream in (batch.decoder, batch.encoder) if stream is not None
    ]
    return sum(int(np.count_nonzero(stream.segment_ids)) for stream in streams)


def unpacked_batches(settings: Mapping[str, Any]) -> list[Batch]:
    """Batches of the same Examples with one in each row, as stacks without packing."""
    rows, size = settings["rows"], settings["batch_rows"]
    placed = iter(examples(settings, most=size * BATCHES))
    groups = [list(itertools.islice(placed, size)) for _ in range(BATCHES)]
    return [collate([[example] for example in group], rows) for group in groups]


def examples(settings: Mapping[str, Any], *, most: int) -> list[Placed]:
    """The first Examples of a run, laid out.

    Args:
      settings: arguments of `train`.
      most: how many.
    """
    shape, mixture = settings["rows"], settings["mixture"]
    place = layout(shape, bos=vocabulary(mixture.vocabulary).special_ids.bos)
    data = Streaming(mixture, shape, settings["batch_rows"])
    stream = itertools.islice(data.examples(seed=settings["seed"]), most)
    return list(map(place, stream))


def alone(mixture: Mixture) -> dict[str, Mixture]:
    """A mixture of each task by itself, with the same settings."""
    return {
        task: dataclasses.replace(
            mixture,
            name=task,
            rates={task: 1.0},
            corpora={},
            loss_shares=None,
            settings=mixture.all_settings(),
            schedule={},
        )
        for task in mixture.positive_rates()
    }
