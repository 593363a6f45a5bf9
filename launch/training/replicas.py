"""Finds a device whose copy of the parameters differs from the other copies.

Data parallelism keeps several copies of each parameter, which every step changes alike.
A bit that flips in one copy, by a faulty chip, stays: the copies drift apart, and the
checkpoint holds whichever of them was read.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, PyTree, UInt32

from ...objectives.errors import UsageError
from ..runs.fingerprint import fingerprint
from ..runs.named_arrays import as_arrays


class ReplicaError(UsageError, RuntimeError):
    """Devices hold different copies of one array."""


def check_replicas(tree: PyTree, mesh: Mesh, *, step: int) -> None:
    """Compares all copies of every array, bit by bit through fingerprints.

    Each device reads its own part once; only 4 bytes an array and device are exchanged.
    Every process must call it at the same step.

    Args:
      tree: arrays on the mesh, with `NamedSharding`s.
      mesh: of all devices.
      step: named in the error.

    Raises:
      ReplicaError: copies differ; names the arrays and the devices in the minority.
    """
    arrays = as_arrays(tree)
    specs = {name: _spec(array) for name, array in arrays.items()}
    prints = jax.device_get(_fingerprinter(mesh, tuple(specs.items()))(arrays))
    odd: dict[str, list[str]] = {}
    for name, values in prints.items():
        for device in _odd_devices(values, specs[name], mesh):
            odd.setdefault(_spell(device), []).append(name)
    if odd:
        listed = "; ".join(
            f"{device}: {', '.join(names[:3])}"
            + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            for device, names in odd.items()
        )
        raise ReplicaError(
            f"step {step}: copies of the parameters differ between devices, so one of "
            f"them computed or stored a wrong bit. In the minority: {listed}. Nothing "
            "of this step is saved; take the device's host out, and rerun the same "
            "command to resume from the last checkpoint."
        )


@functools.cache
def _fingerprinter(
    mesh: Mesh, specs: tuple[tuple[str, PartitionSpec], ...]
) -> Callable[[dict[str, Array]], dict[str, UInt32[Array, "..."]]]:
    """A compiled function from arrays to the fingerprint of each device's part.

    It gives one array for each, with one axis for each axis of the mesh.
    """
    axes = mesh.axis_names

    def local(arrays: dict[str, Array]) -> dict[str, UInt32[Array, "..."]]:
        one = (1,) * len(axes)
        return {name: fingerprint(x).reshape(one) for name, x in arrays.items()}

    everywhere = jax.shard_map(
        local,
        mesh=mesh,
        in_specs=(dict(specs),),
        out_specs=dict.fromkeys(dict(specs), PartitionSpec(*axes)),
        # The copies are what may differ.
        check_vma=False,
    )
    return jax.jit(everywhere, out_shardings=NamedSharding(mesh, PartitionSpec()))


def _spec(array: jax.Array) -> PartitionSpec:
    assert isinstance(array.sharding, NamedSharding)
    return array.sharding.spec


def _odd_devices(values: np.ndarray, spec: PartitionSpec, mesh: Mesh) -> list[Any]:
    """The devices whose fingerprint is not that of most copies of the same part."""
    split = {axis for axes in spec for axis in _axes(axes)}
    copied = [i for i, axis in enumerate(mesh.axis_names) if axis not in split]
    parts = np.moveaxis(values, copied, range(len(copied)))
    devices = np.moveaxis(mesh.devices, copied, range(len(copied)))
    copies = int(np.prod(parts.shape[: len(copied)], dtype=int))
    parts, devices = parts.reshape(copies, -1), devices.reshape(copies, -1)
    odd = []
    for part, holders in zip(parts.T, devices.T, strict=True):
        kinds, counts = np.unique(part, return_counts=True)
        if len(kinds) > 1:
            # Of two copies none is the majority: both are named.
            usual = kinds[counts.argmax()] if counts.max() * 2 > copies else None
            odd += [d for d, kind in zip(holders, part, strict=True) if kind != usual]
    return odd


def _axes(entry: str | tuple[str, ...] | None) -> tuple[str, ...]:
    if entry is None:
        return ()
    return (entry,) if isinstance(entry, str) else tuple(entry)


def _spell(device: Any) -> str:
    return f"device {device.id} ({device.device_kind}) of host {device.process_index}"
