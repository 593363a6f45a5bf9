"""What a run computes: shapes, their sharding, and the compiled steps."""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
import optax
from flax import nnx
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jax.stages import Compiled, Traced
from jaxtyping import Array, Float32, Key, PyTree

from ...models.build import build
from ...models.config import ModelConfig
from ...models.loss import Normalisation, ObjectiveSums
from ...models.rows import Batch, RowShape
from ...objectives.registry import CAPACITY
from ...tasks.examples.mixture import Mixture
from ...tasks.shares.counts import Counts, count, zero_counts
from ...tasks.tokens.vocabulary import vocabulary
from .batch_identity import batch_digest
from .mesh import MeshShape, check_rows, counted_rows, loaded_rows, make_mesh
from .optimizers import optimizer_of
from .schedules import schedule_of
from .settings import check_step
from .state import (
    TrainState,
    abstract_batch,
    batch_shardings,
    initial_state,
    state_shardings,
)
from .step import StepMetrics, make_eval_step, make_train_step

TrainStep = Callable[
    [TrainState, Batch, Float32[Array | np.ndarray, " O"]],
    tuple[TrainState, StepMetrics],
]
EvalStep = Callable[[PyTree, Batch], ObjectiveSums]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Program:
    """A model, an optimiser and rows on a mesh. Nothing is allocated.

    Attributes:
      model: dimensions.
      vocabulary_size: V.
      rows: capacities of a row.
      batch_rows: B.
      transformation: the optimiser.
      mesh: with every axis of `models.axes.MESH_AXES`.
      seed: of the parameters.
      microbatches: parts in which a batch is computed.
      clip_norm: global gradient norm above which gradients are scaled down.
      normalisation: of the loss.
      spike_deviations: of the gradient norm at which an update is skipped (`spikes`).
      deterministic: whether GPU kernels that add in any order are ruled out.
    """

    model: ModelConfig
    vocabulary_size: int
    rows: RowShape
    batch_rows: int
    transformation: optax.GradientTransformation
    mesh: Mesh
    seed: int = 0
    microbatches: int = 1
    clip_norm: float = 1.0
    normalisation: Normalisation = "objective"
    spike_deviations: float | None = None
    deterministic: bool = False

    def fresh_model(self, key: Key[Array, ""] | None = None) -> nnx.Module:
        """The model, initialised from a key; None is that of the seed."""
        return build(
            self.model,
            vocabulary_size=self.vocabulary_size,
            shape=self.rows,
            rngs=nnx.Rngs(params=self.seed if key is None else key),
        )

    @functools.cached_property
    def abstract_state(self) -> TrainState:
        """The state's shapes, each with its sharding."""
        shapes = jax.eval_shape(self.fresh_state)
        return jax.tree.map(
            lambda x, s: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s),
            shapes,
            state_shardings(shapes, self.mesh),
        )

    @property
    def abstract_params(self) -> TrainState:
        """The shapes of the parameters alone, where they stand in the state."""
        nothing = jax.tree.map(lambda _: None, self.abstract_state)
        return nothing._replace(params=self.abstract_state.params)

    def initial_state(self) -> TrainState:
        """The state before the first step, created in its sharding."""
        placement = jax.tree.map(lambda x: x.sharding, self.abstract_state)
        with jax.set_mesh(self.mesh):
            return jax.jit(self.fresh_state, out_shardings=placement)()

    @functools.cached_property
    def rows_here(self) -> tuple[int, int]:
        """The rows [start, stop) of a batch that this process loads."""
        return loaded_rows(self.mesh, self.batch_rows)

    def place(self, batch: Batch) -> Batch:
        """Places a batch on the devices as the steps read it.

        Args:
          batch: its rows of this process, `rows_here`, as NumPy arrays.
        """
        return self._placed(batch, first_row=self.rows_here[0])

    def place_whole(self, batch: Batch) -> Batch:
        """The same for a batch of which every process has all rows."""
        return self._placed(batch, first_row=0)

    def counts(self, batch: Batch) -> Counts:
        """Counts the rows of this process that no other one counts.

        Args:
          batch: as for `place`.
        """
        own = counted_rows(self.mesh, self.batch_rows)[slice(*self.rows_here)]
        return (
            count(jax.tree.map(lambda x: x[own], batch)) if own.any() else zero_counts()
        )

    def digest(self, batch: Batch) -> int:
        """Of the rows of this process that no other one counts (`batch_identity`).

        Args:
          batch: as for `place`.
        """
        return batch_digest(
            batch,
            first_row=self.rows_here[0],
            counted=counted_rows(self.mesh, self.batch_rows),
        )

    def _placed(self, batch: Batch, *, first_row: int) -> Batch:
        def put(array: np.ndarray, sharding: NamedSharding) -> jax.Array:
            def part(index: tuple[slice, ...] | None) -> np.ndarray:
                assert index is not None  # every device holds a part
                rows, *others = index
                start, stop, _ = rows.indices(self.batch_rows)
                return array[(slice(start - first_row, stop - first_row), *others)]

            shape = (self.batch_rows, *array.shape[1:])
            return jax.make_array_from_callback(shape, sharding, part)

        return jax.tree.map(put, batch, self.batch_shardings)

    def trace_train_step(self) -> Traced:
        """Traces the train step before there is data; `lower().compile()` follows."""
        state = self.abstract_state
        placement = jax.tree.map(lambda x: x.sharding, state)
        shares = jax.ShapeDtypeStruct((CAPACITY,), "float32")
        with jax.set_mesh(self.mesh):
            return jax.jit(
                self.train_step_function(),
                donate_argnums=0,
                in_shardings=(placement, self.batch_shardings, self._whole),
                # Metrics are read on every host.
                out_shardings=(placement, self._whole),
            ).trace(state, self.abstract_batch, shares)

    def trace_eval_step(self) -> Traced:
        """Traces the evaluation step: one forward pass and the sums of its loss."""
        params = self.abstract_state.params
        placement = jax.tree.map(lambda x: x.sharding, params)
        with jax.set_mesh(self.mesh):
            return jax.jit(
                self.eval_step_function(),
                in_shardings=(placement, self.batch_shardings),
                out_shardings=self._whole,
            ).trace(params, self.abstract_batch)

    def compile_train_step(self) -> TrainStep:
        """Compiles the train step before there is data. It consumes its state."""
        return self._compiled(self.trace_train_step())

    def compile_eval_step(self) -> EvalStep:
        """Compiles the evaluation step."""
        return self._compiled(self.trace_eval_step())

    def _compiled(self, traced: Traced) -> Compiled:
        with jax.set_mesh(self.mesh):
            return traced.lower().compile(self.compiler_options)

    def fresh_state(self, key: Key[Array, ""] | None = None) -> TrainState:
        """The state before the first step, wherever it is computed."""
        return initial_state(nnx.state(self.fresh_model(key)), self.transformation)

    def train_step_function(self) -> TrainStep:
        """The train step before it is compiled, for no mesh in particular."""
        return make_train_step(
            self._graph(),
            self.transformation,
            microbatches=self.microbatches,
            clip_norm=self.clip_norm,
            normalisation=self.normalisation,
            spike_deviations=self.spike_deviations,
        )

    def eval_step_function(self) -> EvalStep:
        """The evaluation step, likewise."""
        return make_eval_step(self._graph())

    def _graph(self) -> nnx.GraphDef:
        return nnx.graphdef(nnx.eval_shape(self.fresh_model))

    @property
    def compiler_options(self) -> dict[str, str | bool]:
        """What XLA is told; TPUs and CPUs are deterministic as they are."""
        gpu = self.mesh.devices.flat[0].platform == "gpu"
        if not (self.deterministic and gpu):
            return {}
        return {"xla_gpu_deterministic_ops": True}

    @functools.cached_property
    def abstract_batch(self) -> Batch:
        """The shapes of a batch of all processes."""
        return abstract_batch(self.rows, batch_rows=self.batch_rows)

    @property
    def _whole(self) -> NamedSharding:
        return NamedSharding(self.mesh, PartitionSpec())

    @functools.cached_property
    def batch_shardings(self) -> Batch:
        """How a batch lies on the mesh."""
        return batch_shardings(self.abstract_batch, self.mesh)


def make_program(
    *,
    mixture: Mixture,
    model: ModelConfig,
    rows: RowShape,
    schedule: Callable[..., optax.Schedule],
    optimizer: Callable[[optax.Schedule], optax.GradientTransformation],
    steps: int,
    batch_rows: int,
    seed: int,
    mesh: MeshShape = MeshShape(data=-1),  # noqa: B008 (frozen)
    microbatches: int = 1,
    clip_norm: float = 1.0,
    normalisation: Normalisation = "objective",
    spike_deviations: float | None = None,
    deterministic: bool = False,
    devices: Sequence[Any] | None = None,
) -> Program:
    """The program that `train` runs with these arguments; they are described there.

    Args:
      devices: of the mesh; None is all that there are. Those of another machine can be
        compiled for and not run on.

    Raises:
      UsageError: settings that cannot work together.
    """
    device_mesh = make_mesh(mesh, devices=devices)
    check_rows(batch_rows, microbatches=microbatches, mesh=device_mesh)
    check_step(seed=seed, clip_norm=clip_norm, spike_deviations=spike_deviations)
    return Program(
        model=model,
        vocabulary_size=vocabulary(mixture.vocabulary).size,
        rows=rows,
        batch_rows=batch_rows,
        transformation=optimizer_of(optimizer, schedule_of(schedule, steps=steps)),
        mesh=device_mesh,
        seed=seed,
        microbatches=microbatches,
        clip_norm=clip_norm,
        normalisation=normalisation,
        spike_deviations=spike_deviations,
        deterministic=deterministic,
    )


def program_of(
    settings: Mapping[str, Any], *, devices: Sequence[Any] | None = None
) -> Program:
    """The same from all arguments of `train`, ignoring those it does not need."""
    used = inspect.signature(make_program).parameters
    chosen = {name: settings[name] for name in used if name in settings}
    return make_program(**chosen, devices=devices)
