"""Other meshes, remat policies and microbatches around a configuration."""

import dataclasses
import itertools
import math
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ....models.config import ModelConfig
from ....objectives.errors import UsageError, require_count
from ...training.mesh import MeshShape
from .devices import Cluster
from .report import Report

Settings = Mapping[str, Any]

_POLICIES = typing.get_args(typing.get_type_hints(ModelConfig)["remat"])
"""Of remat, the least first."""

_AXES = ("data", "fsdp", "sequence", "tensor")


def settings_to_try(settings: Settings, cluster: Cluster) -> list[dict[str, Any]]:
    """Settings around those given, the most promising first, the given ones before all.

    Meshes split the devices into powers of two along data, fsdp, sequence and tensor;
    tensor never more than the key heads, sequence only where rows are too few for the
    devices. Of two settings the one that communicates and recomputes less comes first:
    tensor 1 before 2, less remat before more, fewer microbatches before more.

    Args:
      settings: arguments of `train`.
      cluster: the devices.

    Raises:
      UsageError: the mesh that is given asks for another number of devices.
    """
    mesh: MeshShape = settings.get("mesh", MeshShape(data=-1))
    sizes = mesh.sizes(len(cluster.devices), kind=cluster.name)
    first = {**settings, "mesh": dataclasses.replace(mesh, **sizes)}
    every = [
        {
            **settings,
            "mesh": mesh,
            "model": dataclasses.replace(settings["model"], remat=remat),
            "microbatches": parts,
        }
        for mesh in _meshes(settings, len(cluster.devices), mesh.slices)
        for remat in _POLICIES
        for parts in _parts(settings["batch_rows"], mesh)
    ]
    every.sort(key=lambda one: _order(one))
    others = [one for one in every if _key(one) != _key(first)]
    return [first, *others]


def ranked(
    plan: Callable[[Settings], Report],
    tried: Sequence[Settings],
    *,
    most: int,
    show: Callable[[str], None] = lambda _: None,
) -> list[Report]:
    """Plans settings: those that fit, the fastest first, then those nearest to it.

    The first is planned first, and then always the one that differs least from the best
    so far; of several, the one that stands first. Other settings that cannot go
    together (a dimension that does not divide) are left out.

    Args:
      plan: `Planner.plan`.
      tried: the settings.
      most: at most that many are planned.
      show: called with what is tried.

    Raises:
      UsageError: of the first settings.
    """
    require_count("--most", most)
    planned: list[tuple[Settings, Report]] = []
    left, most = list(tried), min(most, len(tried))
    while left and len(planned) < most:
        chosen = left[0]
        if planned:
            best, _ = min(planned, key=lambda pair: _rank(pair[1]))
            chosen = min(left, key=lambda one: _difference(one, best))
        coming = min(most - len(planned), len(left))
        left = [one for one in left if one is not chosen]
        if most > 1:
            number, total = len(planned) + 1, len(planned) + coming
            reports = [report for _, report in planned]
            step = f"setting {number} of {total}: {described(chosen)}"
            show(step + _so_far(reports, left=coming))
        try:
            planned.append((chosen, plan(chosen)))
        except UsageError:
            if chosen is tried[0]:
                raise
    return sorted((report for _, report in planned), key=_rank)


def _rank(report: Report) -> tuple[bool, float, int]:
    too_large = report["fits"] is False  # None where the capacity is not known
    seconds = math.inf if too_large else report.get("step_seconds", math.inf)
    return too_large, seconds, report["needed"]


def _difference(one: Settings, other: Settings) -> float:
    """Steps between two settings: of one policy, or a factor of 2."""

    def place(settings: Settings) -> list[float]:
        # What one axis loses another gains, so each counts half.
        axes = [math.log2(getattr(settings["mesh"], axis)) / 2 for axis in _AXES]
        remat = float(_POLICIES.index(settings["model"].remat))
        parts = math.log2(settings.get("microbatches", 1))
        return [*axes, remat, parts]

    return sum(abs(a - b) for a, b in zip(place(one), place(other), strict=True))


def described(settings: Settings) -> str:
    """What a search changes: "fsdp 4, tensor 2, remat full, 2 parts"."""
    sizes = {axis: getattr(settings["mesh"], axis) for axis in _AXES}
    words = [f"{axis} {size}" for axis, size in sizes.items() if size != 1]
    parts = settings.get("microbatches", 1)
    words += [f"remat {settings['model'].remat}"]
    words += [f"{parts} parts"] if parts > 1 else []
    return ", ".join(words)


def _so_far(reports: Sequence[Report], *, left: int) -> str:
    """The best plan yet, and how long the others will take if they take as long."""
    words = []
    fit = [one for one in reports if one["fits"] and "step_seconds" in one]
    if fit:
        best = min(one["step_seconds"] for one in fit)
        words.append(f"best {1e3 * best:,.1f} ms")
    took = [c["seconds"] for c in (r["compiler"] for r in reports) if not c["cached"]]
    if took:
        minutes = sum(took) / len(took) * left / 60
        words.append(f"{minutes:,.0f} min left")
    return f" ({'; '.join(words)})" if words else ""


def _meshes(settings: Settings, devices: int, slices: int) -> Iterator[MeshShape]:
    rows, model = settings["batch_rows"], settings["model"]
    powers = [2**n for n in range(devices.bit_length())]
    for sequence, tensor in itertools.product(powers, powers):
        rest, left = divmod(devices, sequence * tensor)
        if left or tensor > model.kv_heads or model.kv_heads % tensor:
            continue
        if sequence > 1 and rest * sequence <= rows:
            continue  # rows divide among the devices without it
        for data in powers:
            if data % slices or rest % data or rows % rest:
                continue
            yield MeshShape(
                data=data,
                fsdp=rest // data,
                sequence=sequence,
                tensor=tensor,
                slices=slices,
            )


def _parts(rows: int, mesh: MeshShape) -> list[int]:
    """Microbatches: powers of two, down to one row of each device."""
    own = rows // (mesh.data * mesh.fsdp)
    return [2**n for n in range(own.bit_length()) if own % 2**n == 0]


def _order(settings: Settings) -> tuple[float, int, int, int]:
    """What is likely to be fast comes first, taken in turns from each kind of mesh."""
    mesh, model = settings["mesh"], settings["model"]
    recompute = _POLICIES.index(model.remat)
    return (
        math.log2(mesh.tensor * mesh.sequence)
        + math.log2(mesh.data // mesh.slices)
        + recompute
        + math.log2(settings["microbatches"]),
        mesh.tensor,
        mesh.data,
        recompute,
    )


def _key(settings: Settings) -> tuple[Any, ...]:
    parts = settings.get("microbatches", 1)
    return settings.get("mesh"), settings["model"].remat, parts
