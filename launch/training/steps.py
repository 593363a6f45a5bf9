"""Training from Python: batches of a mixture, and the train step as a function on them.

The command trains whole runs, with checkpoints; this is for a loop of one's own.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import numpy as np
import optax
from flax import nnx
from jaxtyping import PyTree

from ...models.build import Model
from ...models.config import ModelConfig
from ...models.rows import Batch, RowShape
from ...tasks.examples.mixture import Mixture
from .data import Streaming
from .mesh import MeshShape
from .optimizers import adamw
from .program import Program, make_program
from .state import TrainState
from .step import StepMetrics

LEARNING_RATE = 1e-3


class Training(NamedTuple):
    """What a loop needs: a state to begin from, and what to do with it.

    Attributes:
      state: parameters and optimiser, at step 0.
      step: `(state, batch) -> (state, metrics)`. It consumes the state it is given.
      model: `state -> model`, a Flax NNX module.
    """

    state: TrainState
    step: Callable[[TrainState, Batch], tuple[TrainState, StepMetrics]]
    model: Callable[[TrainState], Model]


def training(
    mixture: Mixture,
    model: ModelConfig,
    rows: RowShape,
    *,
    optimizer: optax.GradientTransformation | None = None,
    batch_rows: int = 8,
    seed: int = 0,
) -> Training:
    """A model of a mixture, and the train step that `sightline train` takes, compiled.

    Args:
      mixture: gives the vocabulary and the loss shares, with a schedule those of its
        first phase.
      model: dimensions.
      rows: capacities of a row; they choose the architecture.
      optimizer: an optax transformation; None is AdamW at a rate of 0.001.
      batch_rows: B, of the batches; a multiple of the devices.
      seed: of the parameters.
    """
    chosen = adamw(lambda _: LEARNING_RATE) if optimizer is None else optimizer
    program = make_program(
        mixture=mixture,
        model=model,
        rows=rows,
        schedule=lambda *, steps: lambda _: LEARNING_RATE,
        optimizer=lambda schedule: chosen,
        steps=1,
        batch_rows=batch_rows,
        seed=seed,
        mesh=MeshShape(data=-1),
    )
    return training_of(program, mixture)


def training_of(
    program: Program, mixture: Mixture, *, params: PyTree | None = None
) -> Training:
    """The same of a program.

    Args:
      program: of the run.
      mixture: gives the loss shares.
      params: to begin from; None for the program's own.
    """
    compiled, shares = program.compile_train_step(), mixture.loss_share_array()
    state = program.initial_state()
    if params is not None:
        # Copies: a step consumes its state, and the owner keeps its own.
        state = state._replace(
            params=jax.tree.map(
                lambda new, old: jax.device_put(np.asarray(new), old.sharding),
                params,
                state.params,
            )
        )
    graph = nnx.graphdef(nnx.eval_shape(program.fresh_model))

    def step(state: TrainState, batch: Batch) -> tuple[TrainState, StepMetrics]:
        return compiled(state, program.place(batch), shares)

    return Training(state, step, lambda state: nnx.merge(graph, state.params))


def batches(
    mixture: Mixture, rows: RowShape, *, batch_rows: int = 8, seed: int = 0
) -> Iterator[Batch]:
    """Training batches of a mixture without end, as NumPy arrays.

    Args:
      mixture: what is mixed.
      rows: capacities of a row.
      batch_rows: B; a multiple of the devices.
      seed: of everything that is random in them.
    """
    data = Streaming(mixture, rows, batch_rows, workers=0)
    return (batch for batch, _ in data.training(seed=seed, position=None))
