"""Logical axis names, and the one table that lays them out on a mesh.

A mesh has the axes `data`, `fsdp`, `sequence` and `tensor`, all `AxisType.Auto`; an
axis that is not used has size 1. Every parameter carries the names of its own
dimensions as metadata: `nnx.Param(value, axes=("embed", "hidden"))`.
"""

import math
from collections.abc import Sequence

import jax
from flax import nnx
from jax.sharding import AbstractMesh, Mesh, NamedSharding, PartitionSpec
from jaxtyping import PyTree

from ..objectives.errors import UsageError, nearest

MESH_AXES = ("data", "fsdp", "sequence", "tensor")

RULES: dict[str, str | tuple[str, ...] | None] = {
    # Activations.
    "batch": ("data", "fsdp"),
    "slots": "sequence",
    # Parameters; the last four name activations as well.
    "layers": None,
    "buckets": None,
    "scale": None,
    "head": None,
    "embed": "fsdp",
    "heads": "tensor",
    "kv": "tensor",
    "hidden": "tensor",
    "vocab": "tensor",
}


def partition_spec(logical_names: Sequence[str | None]) -> PartitionSpec:
    """The mesh axes of an array's dimensions; None is a dimension left whole.

    Raises:
      ValueError: a name is not in the table.
    """
    for name in logical_names:
        if name is not None and name not in RULES:
            raise UsageError(f"no logical axis {name!r}; {nearest(name, RULES)}")
    return PartitionSpec(*(name and RULES[name] for name in logical_names))


def constrain(x: jax.Array, *logical_names: str | None) -> jax.Array:
    """Lays an activation out on the mesh in context; without a mesh, `x` itself.

    The mesh is the one of `jax.set_mesh`. Without such a constraint at every block
    boundary an `fsdp` mesh silently computes something else: the compiler keeps
    parameters sharded and sums whole activations instead.

    Raises:
      ValueError: a dimension does not divide by its mesh axes.
    """
    mesh = jax.sharding.get_abstract_mesh()
    if mesh.empty:
        return x
    spec = partition_spec(logical_names)
    check_divides(mesh, "an activation", x.shape, logical_names)
    return jax.lax.with_sharding_constraint(x, spec)


def used(*mesh_axes: str) -> tuple[str, ...]:
    """Those of these axes that the mesh in context has more than one device along."""
    sizes = jax.sharding.get_abstract_mesh().shape
    return tuple(axis for axis in mesh_axes if sizes.get(axis, 1) > 1)


def used_spec(logical_names: Sequence[str | None]) -> PartitionSpec:
    """`partition_spec` with the axes that are `used`, for `jax.shard_map`.

    A collective along an axis of one device would do nothing, and not for free.
    """

    def of(axes: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        if axes is None or isinstance(axes, str):
            return axes if axes is not None and used(axes) else None
        return used(*axes) or None

    return PartitionSpec(*map(of, partition_spec(logical_names)))


def param_shardings(abstract_state: PyTree, mesh: Mesh | AbstractMesh) -> PyTree:
    """How each parameter lies on the mesh, by the axis names beside it.

    Args:
      abstract_state: parameters, or their shapes (`nnx.eval_shape`).
      mesh: with every axis of `MESH_AXES`.

    Returns:
      The same tree, with a `NamedSharding` in place of every array.

    Raises:
      ValueError: a parameter has no `axes`, or not one for each dimension, or a
        dimension does not divide by its mesh axes.
    """

    def shard(path, parameter):
        name = _name(path)
        axes = parameter.get_metadata().get("axes")
        shape = parameter.get_value().shape
        if axes is None or len(axes) != len(shape):
            raise UsageError(
                f"parameter {name} of shape {shape} has the axes {axes}; give it one "
                f"name for each dimension: nnx.Param(value, axes=(...))."
            )
        check_divides(mesh, f"parameter {name}", shape, axes)
        return parameter.replace(NamedSharding(mesh, partition_spec(axes)))

    return jax.tree.map_with_path(shard, abstract_state, is_leaf=_is_variable)


def _is_variable(node) -> bool:
    return isinstance(node, nnx.Variable)


def _name(path) -> str:
    return ".".join(str(getattr(key, "key", key)) for key in path)


def check_divides(
    mesh: Mesh | AbstractMesh,
    owner: str,
    shape: Sequence[int],
    logical_names: Sequence[str | None],
) -> None:
    """Refuses an array of which a dimension does not divide by its mesh axes.

    Args:
      mesh: with every axis of `MESH_AXES`.
      owner: what the array is, for the message.
      shape: of the array.
      logical_names: of its dimensions; None is one left whole.

    Raises:
      UsageError: naming the dimension, or the axes that the mesh lacks.
    """
    missing = [axis for axis in MESH_AXES if axis not in mesh.shape]
    if missing:
        raise UsageError(
            f"the mesh has the axes {dict(mesh.shape)} and lacks {missing}; give it "
            f"all of {MESH_AXES}, with size 1 where unused."
        )
    for dimension, (size, name) in enumerate(zip(shape, logical_names, strict=True)):
        rule = name and RULES[name]
        axes = (rule,) if isinstance(rule, str) else rule or ()
        parts = math.prod(mesh.shape[axis] for axis in axes)
        if size % parts:
            raise UsageError(
                f"{owner} of shape {tuple(shape)}: dimension {dimension} ({name}) is "
                f"{size}, which does not divide by {parts}, the size of mesh axis "
                f"{' × '.join(axes)}; change either."
            )
