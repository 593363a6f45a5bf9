"""Which devices a collective joins: the three ways in which HLO prints it."""

import math
import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

Groups = Int[np.ndarray, "groups members"]
"""Places of devices in the mesh, counted in row-major order."""

_IOTA = re.compile(r"\[([\d,]+)\]<=\[([\d,]+)\](?:T\(([\d,]+)\))?")
_MESH = re.compile(
    r"mesh\[(?P<axes>[^\]]*)\](?:, device_ids=\((?P<ids>[^)]*(?:\([^)]*\))?)\))?"
    r"\s*\{(?P<used>[^}]*)\}"
)
_AXIS = re.compile(r"'?([\w\-]+)'?=(\d+)")
_USED = re.compile(r"'?([\w\-]+)'?(?::\((\d+)\)(\d+))?")


def replica_groups(attributes: str, devices: int) -> Groups:
    """The groups of a collective.

    Args:
      attributes: of the instruction, with `replica_groups=` as lists `{{0,1},{2,3}}`,
        as a reshaped and transposed count `[2,2]<=[4]T(0)`, or as axes of a mesh,
        `mesh['a'=2,'b'=2] {'b'}`; or with `source_target_pairs=`.
      devices: of the program; all of them are one group where none are given.

    Raises:
      ValueError: the groups are printed in some other way.
    """
    pairs = re.search(r"source_target_pairs=\{((?:\{\d+,\d+\},?)*)\}", attributes)
    if pairs:
        return _lists(pairs[1])
    _, found, text = attributes.partition("replica_groups=")
    if not found or text.startswith("{}"):
        return np.arange(devices)[None]
    if iota := _IOTA.match(text):
        return _counted(iota[2], iota[3]).reshape(*_sizes(iota[1]))
    if mesh := _MESH.match(text):
        return _of_mesh(mesh["axes"], mesh["ids"], mesh["used"])
    if lists := re.match(r"\{((?:\{[\d,]*\},?)*)\}", text):
        return _lists(lists[1])
    raise ValueError(f"replica groups of an unknown form: {text[:80]!r}")


def spanned_axes(groups: Groups, mesh_sizes: Sequence[int]) -> tuple[int, ...]:
    """Numbers of the mesh axes along which the members of a group differ."""
    places = np.array(np.unravel_index(groups, tuple(mesh_sizes)))
    differ = (places != places[:, :, :1]).any((1, 2))
    return tuple(int(axis) for axis in np.flatnonzero(differ))


def _sizes(text: str) -> list[int]:
    return [int(size) for size in text.split(",") if size]


def _lists(text: str) -> Groups:
    return np.array([_sizes(one) for one in re.findall(r"\{([\d,]*)\}", text)])


def _counted(sizes: str, order: str | None) -> np.ndarray:
    """0, 1, 2, … in an array of these sizes, its axes put in this order."""
    counted = np.arange(math.prod(_sizes(sizes))).reshape(_sizes(sizes))
    return counted.transpose(_sizes(order)) if order else counted


def _of_mesh(axes: str, ids: str | None, used: str) -> Groups:
    """Groups along axes of a mesh, or along parts of them, `'a':(2)4`."""
    sizes = {name: int(size) for name, size in _AXIS.findall(axes)}
    devices = _device_ids(ids, math.prod(sizes.values()))
    wanted: dict[str, list[tuple[int, int]]] = {}
    for name, before, size in _USED.findall(used):
        part = (int(before), int(size)) if size else (1, sizes[name])
        wanted.setdefault(name, []).append(part)
    # Every axis is split into parts, those used and those between them.
    parts: list[tuple[int, bool]] = []
    for name, whole in sizes.items():
        done = 1
        for before, size in sorted(wanted.get(name, [])):
            parts += [(before // done, False), (size, True)]
            done = before * size
        parts.append((whole // done, False))
    grid = devices.reshape([size for size, _ in parts])
    inner = [n for n, (_, is_used) in enumerate(parts) if is_used]
    outer = [n for n, (_, is_used) in enumerate(parts) if not is_used]
    members = math.prod(parts[n][0] for n in inner)
    return grid.transpose(*outer, *inner).reshape(-1, members)


def _device_ids(text: str | None, devices: int) -> np.ndarray:
    if text is None:
        return np.arange(devices)
    iota = re.match(r"(?:\[[\d,]+\])?(?:<=)?\[([\d,]+)\](?:T\(([\d,]+)\))?$", text)
    ids = _counted(iota[1], iota[2]).ravel() if iota else np.array(_sizes(text))
    if sorted(ids) != list(range(devices)):
        raise ValueError(f"device ids of an unknown form: {text[:80]!r}")
    return ids
