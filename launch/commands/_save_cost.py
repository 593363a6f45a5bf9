"""What a checkpoint costs the steps of a configuration."""

import inspect
import itertools
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from rich.progress import track

from ..runs.checkpoints import Checkpoints
from ..training.program import program_of
from ..training.reader import in_background
from ..training.train import train
from ._batches import Steps, some_batches

_LONGEST = 20.0
"""Seconds of an interval that are really run; a longer one is computed from it."""

_POLL = 0.01

Seconds = Float[np.ndarray, " rounds"]


def save_costs(settings: Mapping[str, Any], *, rounds: int) -> dict[str, Seconds]:
    """Seconds that a checkpoint takes from the steps around it.

    Rounds alternate between an interval of steps that begins with a save, as in a
    run every `train.checkpoint_every` steps, and one of as many steps without.

    Args:
      settings: arguments of `train`.
      rounds: of both.

    Returns:
      `step`, a step without a save; `call`, for how long the loop is held up;
      `slower`, by how much the steps after it take longer, while it is written;
      `committed`, from the call until the checkpoint counts; and `share`, of `call` and
      `slower` in the time between two saves.
    """
    mixture, program = settings["mixture"], program_of(settings)
    run = Steps(program)
    placed = map(program.place, some_batches(mixture, settings))
    batches = itertools.cycle(list(placed))
    shares = mixture.loss_share_array()

    def seconds_of(steps: int) -> float:
        return sum(
            run.seconds(batch, shares) for batch in itertools.islice(batches, steps)
        )

    seconds_of(2)  # warms up
    period = checkpoint_period(settings)
    steps = max(1, min(period, int(_LONGEST / (seconds_of(8) / 8))))
    costs: dict[str, list[float]] = {
        name: [] for name in ("step", "call", "slower", "committed", "share")
    }
    with (
        tempfile.TemporaryDirectory(prefix="sightline-bench-") as folder,
        Checkpoints(folder, keep=1, period=1) as checkpoints,
    ):
        for number in track(range(rounds + 1), "Saving", transient=True):
            without = seconds_of(steps)
            begun = time.perf_counter()
            checkpoints.save(number, run.state, {})
            call = time.perf_counter() - begun
            committed = in_background(
                _appears, Path(folder, "checkpoints", str(number))
            )
            slower = seconds_of(steps) - without
            seconds = {
                "step": without / steps,
                "call": call,
                "slower": slower,
                "committed": committed.result() - begun,
                "share": (call + slower) / (period * without / steps),
            }
            if number > 0:  # the first one warms up
                for name, value in seconds.items():
                    costs[name].append(value)
    return {name: np.array(values) for name, values in costs.items()}


def checkpoint_period(settings: Mapping[str, Any]) -> int:
    """Steps between two checkpoints: what is bound, or the default of `train`."""
    default = inspect.signature(train).parameters["checkpoint_every"].default
    return settings.get("checkpoint_every", default)


def _appears(checkpoint: Path) -> float:
    """Waits for a checkpoint, and returns when it was there."""
    while not checkpoint.exists():
        time.sleep(_POLL)
    return time.perf_counter()
