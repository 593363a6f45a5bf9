"""The state of training, and its sharding on the mesh."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.sharding import AbstractMesh, Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Int32, PyTree

from ...models.axes import check_divides, param_shardings, partition_spec
from ...models.rows import PREDICTION_FIELDS, Batch, RowShape
from ...tasks.rows.packing import collate
from .spikes import NormStatistics, no_statistics


class TrainState(NamedTuple):
    """Everything that a step reads and writes.

    Attributes:
      params: parameters, float32.
      opt_state: the optimiser's.
      step: steps taken, including skipped ones.
      skipped: steps whose update was skipped: not finite, or a spike.
      skipped_in_a_row: the same, since the last update.
      norms: statistics of the gradient norm, from which a spike is told.
    """

    params: PyTree
    opt_state: PyTree
    step: Int32[Array, ""]
    skipped: Int32[Array, ""]
    skipped_in_a_row: Int32[Array, ""]
    norms: NormStatistics


def initial_state(
    params: PyTree, optimizer: optax.GradientTransformation
) -> TrainState:
    """The state before the first step."""
    zero = jnp.zeros((), jnp.int32)
    return TrainState(params, optimizer.init(params), zero, zero, zero, no_statistics())


def state_shardings(abstract: TrainState, mesh: Mesh) -> TrainState:
    """The sharding of the state on the mesh.

    Optimiser statistics with the shape of their parameter are sharded like it; factored
    statistics and counters are small and replicated.

    Args:
      abstract: the state, or its shapes.
      mesh: with every axis of `models.axes.MESH_AXES`.
    """
    whole = NamedSharding(mesh, PartitionSpec())
    params = jax.tree_util.tree_leaves_with_path(abstract.params)
    shardings = jax.tree.leaves(param_shardings(abstract.params, mesh))
    param_specs = [
        (_names(path), array.shape, sharding)
        for (path, array), sharding in zip(params, shardings, strict=True)
    ]

    def shard(path, array):
        names = _names(path)
        for suffix, shape, sharding in param_specs:
            if names[-len(suffix) :] == suffix and array.shape == shape:
                return sharding
        return whole

    return jax.tree_util.tree_map_with_path(shard, abstract)


def _names(path) -> tuple[str, ...]:
    return tuple(jax.tree_util.keystr((key,)) for key in path)


def abstract_batch(shape: RowShape, *, batch_rows: int) -> Batch:
    """The shapes of a batch of B rows, to compile a step before there is data."""
    empty = collate([[]] * batch_rows, shape)
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), empty)


def batch_shardings(abstract: Batch, mesh: Mesh | AbstractMesh) -> Batch:
    """The sharding of a batch: rows over data and fsdp, slots over sequence.

    Lists of predictions are not split within a row: they point at any of its slots.

    Raises:
      UsageError: the rows or the slots do not divide among the devices.
    """

    def shard(path, array):
        listed = path[-1].name in PREDICTION_FIELDS
        axes = ("batch", None) if listed else ("batch", "slots")
        check_divides(mesh, "the rows of a batch", array.shape, axes)
        return NamedSharding(mesh, partition_spec(axes))

    return jax.tree_util.tree_map_with_path(shard, abstract)
