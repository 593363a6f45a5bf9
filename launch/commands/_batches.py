"""Some batches of a configuration, and its step, to be timed."""

import itertools
import time
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from ...models.rows import Batch
from ...tasks.examples.mixture import Mixture
from ..training.data import Streaming
from ..training.program import Program

BATCHES = 4
"""Distinct batches of each mixture."""


def some_batches(mixture: Mixture, settings: Mapping[str, Any]) -> list[Batch]:
    """The first batches of a mixture, as NumPy arrays.

    Args:
      mixture: whose rows they are; that of the settings, or a part of it.
      settings: arguments of `train`.
    """
    data = Streaming(mixture, settings["rows"], settings["batch_rows"], workers=0)
    stream = data.training(seed=settings["seed"], position=None)
    return [batch for batch, _ in itertools.islice(stream, BATCHES)]


class Steps:
    """The compiled train step of a program, and its state.

    Attributes:
      state: after the steps so far.
    """

    def __init__(self, program: Program):
        """Compiles, and makes the initial state."""
        self._step, self.state = program.compile_train_step(), program.initial_state()

    def seconds(self, batch: Batch, shares: Float[np.ndarray, " O"]) -> float:
        """Takes a step on a placed batch, and returns for how long."""
        begun = time.perf_counter()
        self.state, metrics = self._step(self.state, batch, shares)
        jax.block_until_ready(metrics)
        return time.perf_counter() - begun
