"""Model FLOPs utilisation of a run, on devices whose peak is known."""

from pathlib import Path
from typing import NamedTuple

import jax

from ....objectives.errors import require_positive
from ...inference.open import saved_config
from ...runs import goodput
from ...training.mesh import MeshShape
from ...training.program import program_of
from ..plan.model_operations import model_operations
from .reading import RunStatus

LINES = 12
"""Lines of the account of time that are averaged: about two minutes."""


class Utilisation(NamedTuple):
    """How much of its devices a run uses.

    Attributes:
      operations: of the model in a step, on all devices.
      seconds: of a step, from the newest lines of the account of time.
      peak: operations a second of all devices.
    """

    operations: float
    seconds: float
    peak: float

    @property
    def mfu(self) -> float:
        """The share of the peak."""
        return self.operations / self.seconds / self.peak


def utilisation(run: RunStatus, *, peak: float) -> Utilisation | None:
    """The utilisation while steps are computed; None if no step is accounted for.

    Saves, evaluation and waiting for data are no part of it; goodput shows those.

    Args:
      run: as it was read.
      peak: operations a second of all devices together.
    """
    require_positive("the devices' peak", peak)
    seconds = step_seconds(run.folder)
    if seconds is None:
        return None
    return Utilisation(_operations(run.folder), seconds, peak)


def step_seconds(folder: Path) -> float | None:
    """Seconds of computing a step, over the newest lines; None without a step."""
    lines = goodput.read(folder / goodput.file_of(0))
    counted = [line for line in lines if line.get("step", 0) > line.get("from", 0)]
    newest = counted[-LINES:]
    steps = sum(line["step"] - line["from"] for line in newest)
    spent = sum(line["seconds"].get("compute", 0.0) for line in newest)
    return spent / steps if steps and spent else None


def _operations(folder: Path) -> float:
    """Operations of a step, from the run's own config; the mesh does not matter."""
    settings = saved_config(folder).arguments(
        "train", run_dir="unused", config="unused"
    )
    whole = {**settings, "mesh": MeshShape(), "microbatches": 1}
    return model_operations(program_of(whole, devices=jax.devices()[:1]))
