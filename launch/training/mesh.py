"""The device mesh."""

import dataclasses
import math

import jax
from jax.sharding import AxisType, Mesh

from ...objectives.errors import UsageError, require_count


@dataclasses.dataclass(frozen=True)
class MeshShape:
    """Number of devices along each axis; at most one may be -1, "all the others".

    Attributes:
      data: rows of the batch, parameters repeated (may span slices over DCN).
      fsdp: rows of the batch, parameters split.
      sequence: slots of a row.
      tensor: heads, hidden width and vocabulary.
    """

    data: int = 1
    fsdp: int = 1
    sequence: int = 1
    tensor: int = 1


def make_mesh(shape: MeshShape) -> Mesh:
    """A mesh of all devices, with the four axes of `MeshShape`, all `AxisType.Auto`.

    Raises:
      ValueError: the axes do not multiply to the number of devices.
    """
    sizes = dataclasses.asdict(shape)
    devices = jax.devices()
    inferred = [name for name, size in sizes.items() if size == -1]
    bad = [name for name, size in sizes.items() if size < 1 and size != -1]
    if bad or len(inferred) > 1:
        raise UsageError(
            f"mesh axes are sizes ≥ 1, and at most one of them -1, got {shape}."
        )
    known = math.prod(size for size in sizes.values() if size != -1)
    if inferred and len(devices) % known == 0:
        sizes[inferred[0]] = len(devices) // known
    if math.prod(sizes.values()) != len(devices):
        kind = devices[0].platform
        raise UsageError(
            f"{shape} asks for {'a multiple of ' if inferred else ''}{known} devices, "
            f"and there are {len(devices)} ({kind}); bind other sizes, such as "
            f"--gin.MeshShape.data=-1, or emulate {known} devices on the CPU with "
            f"JAX_PLATFORMS=cpu JAX_NUM_CPU_DEVICES={known}."
        )
    return jax.make_mesh(
        tuple(sizes.values()),
        tuple(sizes),
        axis_types=(AxisType.Auto,) * len(sizes),
        devices=devices,
    )


def check_rows(rows: int, *, microbatches: int, mesh: Mesh) -> None:
    """Refuses a batch whose rows do not divide evenly.

    Raises:
      ValueError: microbatches times the devices along data and fsdp do not divide B.
    """
    require_count("train.batch_rows", rows)
    require_count("train.microbatches", microbatches, most=rows)
    parts = microbatches * mesh.shape["data"] * mesh.shape["fsdp"]
    if rows % parts:
        raise UsageError(
            f"train.batch_rows={rows} does not divide by {parts} = "
            f"{microbatches} microbatches × {mesh.shape['data']} (data) × "
            f"{mesh.shape['fsdp']} (fsdp); take {max(1, round(rows / parts)) * parts}."
        )
