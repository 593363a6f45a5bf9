"""The device mesh."""

import dataclasses
import logging
import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.experimental import mesh_utils
from jax.sharding import AbstractMesh, AxisType, Mesh, NamedSharding
from jaxtyping import Bool

from ...models.axes import MESH_AXES, partition_spec
from ...objectives.errors import UsageError, require_count

_LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class MeshShape:
    """Number of devices along each axis; at most one may be -1, "all the others".

    Raises UsageError for other sizes.

    Attributes:
      data: rows of the batch, parameters repeated (may span slices over DCN).
      fsdp: rows of the batch, parameters split.
      sequence: slots of a row.
      tensor: heads, hidden width and vocabulary.
      slices: groups of devices that only the data-centre network joins. `data` is
        laid out over them first, so that nothing else crosses it.
    """

    data: int = 1
    fsdp: int = 1
    sequence: int = 1
    tensor: int = 1
    slices: int = 1

    def __post_init__(self) -> None:
        require_count("MeshShape.slices", self.slices)
        sizes = [getattr(self, name) for name in MESH_AXES]
        if any(size < 1 and size != -1 for size in sizes) or sizes.count(-1) > 1:
            raise UsageError(
                f"mesh axes are sizes ≥ 1, and at most one of them -1, got {self}."
            )

    def sizes(self, devices: int, *, kind: str) -> dict[str, int]:
        """The size of each axis on that many devices, -1 replaced.

        Args:
          devices: their number.
          kind: what they are, for the message.

        Raises:
          UsageError: the axes do not multiply to it, or the slices do not divide
            `data`.
        """
        sizes = {name: getattr(self, name) for name in MESH_AXES}
        inferred = [name for name, size in sizes.items() if size == -1]
        known = math.prod(size for size in sizes.values() if size != -1)
        if inferred and devices % known == 0:
            sizes[inferred[0]] = devices // known
        if math.prod(sizes.values()) != devices:
            wanted = f"{'a multiple of ' if inferred else ''}{known} devices"
            raise UsageError(
                f"{self} asks for {wanted}, and there are {devices} ({kind}); bind "
                f"other sizes, such as --gin.MeshShape.data=-1, or take {wanted} "
                f"(JAX_PLATFORMS=cpu JAX_NUM_CPU_DEVICES={known} emulates {known})."
            )
        if sizes["data"] % self.slices:
            raise UsageError(
                f"MeshShape.slices is {self.slices} with data={sizes['data']}; set "
                "data to a multiple of slices."
            )
        return sizes

    @property
    def fewest(self) -> int:
        """Devices that it asks for at least, wherever it will run."""
        sizes = [self.slices if self.data == -1 else self.data]
        sizes += [getattr(self, name) for name in MESH_AXES[1:]]
        return math.prod(size for size in sizes if size != -1)


def make_mesh(shape: MeshShape, *, devices: Sequence[Any] | None = None) -> Mesh:
    """A mesh with the four axes of `MeshShape`, all `AxisType.Auto`.

    Args:
      shape: sizes of the axes.
      devices: to make it of; None is all that there are.

    Raises:
      ValueError: the axes do not multiply to the number of devices, or the slices are
        others than the devices form.
    """
    devices = jax.devices() if devices is None else devices
    sizes = shape.sizes(len(devices), kind=devices[0].platform)
    try:
        return _arranged(shape, sizes, devices)
    except NotImplementedError:
        _LOG.warning(
            "%s divides a dimension of the torus that joins the devices: its axes "
            "share links; take products of whole dimensions where speed counts.",
            shape,
        )
    return _arranged(shape, sizes, devices, allow_split_physical_axes=True)


def abstract_mesh(shape: MeshShape, *, devices: int) -> AbstractMesh:
    """The same of that many devices which are elsewhere: the sizes of its axes.

    Raises:
      UsageError: the axes do not multiply to the number of devices.
    """
    sizes = shape.sizes(devices, kind="not at hand")
    return AbstractMesh(
        tuple(sizes.values()), tuple(sizes), axis_types=(AxisType.Auto,) * len(sizes)
    )


def _arranged(
    shape: MeshShape, sizes: dict[str, int], devices: Sequence[Any], **options: bool
) -> Mesh:
    """The mesh, its axes along whole dimensions of the devices' torus.

    Raises:
      NotImplementedError: no choice of dimensions has the size of an axis, and
        `allow_split_physical_axes` is not set.
    """
    axis_types = (AxisType.Auto,) * len(sizes)
    data, *others = sizes.values()
    if shape.slices > 1:
        grid = mesh_utils.create_hybrid_device_mesh(
            (data // shape.slices, *others),
            (shape.slices, 1, 1, 1),
            devices,
            process_is_granule=_granule(shape, devices) == "process_index",
            **options,
        )
    elif options:
        grid = mesh_utils.create_device_mesh(tuple(sizes.values()), devices, **options)
    else:  # knows more of TPUs than `create_device_mesh`
        return jax.make_mesh(
            tuple(sizes.values()), tuple(sizes), axis_types=axis_types, devices=devices
        )
    return Mesh(grid, tuple(sizes), axis_types=axis_types)


def _granule(shape: MeshShape, devices: Sequence[Any]) -> str:
    """The attribute of devices that tells slices apart; of CPUs and GPUs, the process.

    Raises:
      UsageError: the devices form another number of slices.
    """
    counts = {
        name: len({getattr(device, name, 0) for device in devices})
        for name in ("slice_index", "process_index")
    }
    name = "slice_index" if counts["slice_index"] > 1 else "process_index"
    if counts[name] != shape.slices:
        raise UsageError(
            f"MeshShape.slices is {shape.slices}, and the devices form {counts[name]} "
            f"groups by {name}; set slices to that, and data to a multiple of it, or "
            "slices to 1 where one network joins all devices."
        )
    return name


def loaded_rows(mesh: Mesh, batch_rows: int) -> tuple[int, int]:
    """The rows [start, stop) of a batch that this process loads.

    They are those of its devices. Processes whose devices share rows, since a sequence
    or tensor axis spans them, load the same. If the rows of its devices have gaps,
    those between are loaded as well.

    Args:
      mesh: of all devices.
      batch_rows: B.
    """
    holders = _row_holders(mesh, batch_rows)
    rows = np.flatnonzero([jax.process_index() in held for held in holders])
    return int(rows[0]), int(rows[-1]) + 1


def counted_rows(mesh: Mesh, batch_rows: int) -> Bool[np.ndarray, " B"]:
    """Which rows of a batch this process counts: over all processes, each row once.

    Args:
      mesh: of all devices.
      batch_rows: B.
    """
    here = jax.process_index()
    return np.array([min(held) == here for held in _row_holders(mesh, batch_rows)])


def _row_holders(mesh: Mesh, batch_rows: int) -> list[set[int]]:
    """The processes on whose devices each row lies."""
    sharding = NamedSharding(mesh, partition_spec(("batch",)))
    holders: list[set[int]] = [set() for _ in range(batch_rows)]
    for device, (rows,) in sharding.devices_indices_map((batch_rows,)).items():
        for row in range(*rows.indices(batch_rows)):
            holders[row].add(device.process_index)
    return holders


def check_rows(rows: int, *, microbatches: int, mesh: Mesh | AbstractMesh) -> None:
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
