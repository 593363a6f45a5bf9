"""One compiled train step for all runs of a study: the learning rate is an argument."""

from collections.abc import Callable

import jax
import numpy as np
import optax
from flax import nnx
from jax.sharding import NamedSharding, PartitionSpec
from jaxtyping import Array, Float32

from ...models.rows import Batch
from ...objectives.registry import CAPACITY
from ..training.program import Program
from ..training.state import TrainState
from ..training.step import StepMetrics, make_train_step

Optimizer = Callable[[optax.Schedule], optax.GradientTransformation]

Step = Callable[
    [TrainState, Batch, Float32[np.ndarray, " O"], np.float32],
    tuple[TrainState, StepMetrics],
]
"""`(state, batch, loss shares, learning rate) -> (state, metrics)`."""


def compile_step(program: Program, optimizer: Optimizer) -> Step:
    """Compiles the step of a program, which consumes its state.

    Runs differ in their learning rate, and a study has dozens of them.

    Args:
      program: of every run.
      optimizer: that of the program, before it is given a schedule.
    """
    graph = nnx.graphdef(nnx.eval_shape(program.fresh_model))

    def step(
        state: TrainState,
        batch: Batch,
        shares: Float32[Array, " O"],
        rate: Float32[Array, ""],
    ) -> tuple[TrainState, StepMetrics]:
        return make_train_step(
            graph,
            optimizer(lambda count: rate),
            microbatches=program.microbatches,
            clip_norm=program.clip_norm,
            normalisation=program.normalisation,
        )(state, batch, shares)

    state = program.abstract_state
    placement = jax.tree.map(lambda x: x.sharding, state)
    whole = NamedSharding(program.mesh, PartitionSpec())
    with jax.set_mesh(program.mesh):
        traced = jax.jit(
            step,
            donate_argnums=0,
            in_shardings=(placement, program.batch_shardings, whole, whole),
            out_shardings=(placement, whole),
        ).trace(
            state,
            program.abstract_batch,
            jax.ShapeDtypeStruct((CAPACITY,), "float32"),
            jax.ShapeDtypeStruct((), "float32"),
        )
        return traced.lower().compile(program.compiler_options)
