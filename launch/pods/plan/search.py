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


def settings_to_try(
    settings: Settings, cluster: Cluster, *, most: int
) -> list[dict[str, Any]]:
    """Settings around those given, the most promising first, the given ones before all.

    Meshes split the devices into powers of two along data, fsdp, sequence and tensor;
    tensor never more than the key heads, sequence only where rows are too few for the
    devices. Of two settings the one that communicates and recomputes less comes first:
    tensor 1 before 2, less remat before more, fewer microbatches before more.

    Args:
      settings: arguments of `train`.
      cluster: the devices.
      most: at most that many.
    """
    require_count("--most", most)
    slices = settings.get("mesh", MeshShape()).slices
    policies = typing.get_args(typing.get_type_hints(ModelConfig)["remat"])
    every = [
        {
            **settings,
            "mesh": mesh,
            "model": dataclasses.replace(settings["model"], remat=remat),
            "microbatches": parts,
        }
        for mesh in _meshes(settings, len(cluster.devices), slices)
        for remat in policies
        for parts in _parts(settings["batch_rows"], mesh)
    ]
    every.sort(key=lambda one: _order(one, policies))
    first = dict(settings)
    others = [one for one in every if _key(one) != _key(first)]
    return [first, *others][:most]


def ranked(
    plan: Callable[[Settings], Report],
    tried: Sequence[Settings],
    *,
    show: Callable[[str], None] = lambda _: None,
) -> list[Report]:
    """Plans all settings: those that fit, the fastest first, then those nearest to it.

    Settings that cannot go together (a dimension that does not divide) are left out,
    unless they are the only ones.

    Args:
      plan: `Planner.plan`.
      tried: the settings.
      show: called with what is tried.
    """
    reports: list[Report] = []
    for number, settings in enumerate(tried):
        if len(tried) > 1:
            step = f"setting {number + 1} of {len(tried)}: {described(settings)}"
            show(step + _so_far(reports, left=len(tried) - number))
        try:
            reports.append(plan(settings))
        except UsageError:
            if len(tried) == 1:
                raise
    return sorted(
        reports,
        key=lambda one: (
            not one["fits"],
            one.get("step_seconds", math.inf) if one["fits"] else math.inf,
            one["needed"],
        ),
    )


def described(settings: Settings) -> str:
    """What a search changes: "fsdp 4, tensor 2, remat full, 2 parts"."""
    mesh = dataclasses.asdict(settings["mesh"])
    sizes = {axis: mesh[axis] for axis in ("data", "fsdp", "sequence", "tensor")}
    words = [
        f"{axis} {'the rest' if size == -1 else size}"
        for axis, size in sizes.items()
        if size != 1
    ]
    parts = settings.get("microbatches", 1)
    words += [f"remat {settings['model'].remat}"]
    words += [f"{parts} parts"] if parts > 1 else []
    return ", ".join(words)


def _so_far(reports: Sequence[Report], *, left: int) -> str:
    """The best plan yet, and how long the others will take if they take as long."""
    words = []
    fit = [one["step_seconds"] for one in reports if one["fits"]]
    if fit:
        words.append(f"best so far {1e3 * min(fit):,.1f} ms")
    took = [c["seconds"] for c in (r["compiler"] for r in reports) if not c["cached"]]
    if took:
        minutes = sum(took) / len(took) * left / 60
        words.append(f"about {minutes:,.0f} min left")
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


def _order(settings: Settings, policies: Sequence[str]) -> tuple[float, int, int, int]:
    """What is likely to be fast comes first, taken in turns from each kind of mesh."""
    mesh, model = settings["mesh"], settings["model"]
    recompute = policies.index(model.remat)
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
