"""What `sightline train` would refuse, found before anything is submitted."""

import dataclasses
import inspect
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from ....objectives.errors import UsageError
from ...configuration import files
from ...configuration.config import Config, load
from ...terminal.log import RunLog
from ...training.mesh import MeshShape
from ...training.resume import RunConfig
from ...training.train import train


@dataclasses.dataclass(frozen=True)
class Checked:
    """A configuration that `sightline train` takes.

    Attributes:
      config: resolved gin text, which says the same as the files and bindings.
      settings: arguments of `train`, its defaults too.
      notes: bindings that change nothing, one line each.
    """

    config: str
    settings: dict[str, Any]
    notes: tuple[str, ...]


def check_config(
    gin_files: Sequence[str], bindings: Sequence[str], *, run_dir: str
) -> Checked:
    """Reads and builds the configuration, as `sightline train` does.

    Args:
      gin_files: paths, or names of shipped files.
      bindings: `NAME=VALUE`.
      run_dir: of the run.

    Raises:
      UsageError: what training would refuse.
    """
    config = load(gin_files, bindings)
    text = config.resolved_config("train")
    log = RunLog(Console(quiet=True))
    settings = config.arguments(
        "train", run_dir=run_dir, config=RunConfig(text, (), log)
    )
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(train).parameters.items()
    }
    return Checked(text, {**defaults, **settings}, tuple(_unused(config)))


def check_devices(checked: Checked, *, devices: int, slices: int = 1) -> None:
    """Refuses a mesh or a batch that the devices cannot hold.

    Args:
      checked: the configuration.
      devices: of all slices together.
      slices: groups of devices that only the data-centre network joins.

    Raises:
      UsageError: the mesh asks for another number of devices or slices, or the rows of
        a batch do not divide.
    """
    mesh: MeshShape = checked.settings["mesh"]
    if mesh.slices != slices:
        raise UsageError(
            f"MeshShape.slices is {mesh.slices}, and the job has {slices} slice(s); "
            f"bind --gin.MeshShape.slices={slices}."
        )
    sizes = [mesh.data, mesh.fsdp, mesh.sequence, mesh.tensor]
    known = math.prod(size for size in sizes if size != -1)
    open_axes = sizes.count(-1)
    if devices % known if open_axes else devices != known:
        raise UsageError(
            f"{mesh} asks for {'a multiple of ' if open_axes else ''}{known} devices, "
            f"and the job has {devices}; bind other sizes, such as "
            f"--gin.MeshShape.fsdp={devices}, or take another topology."
        )
    rest = devices // known
    rows: int = checked.settings["batch_rows"]
    microbatches: int = checked.settings["microbatches"]
    data, fsdp = (rest if size == -1 else size for size in sizes[:2])
    parts = microbatches * data * fsdp
    if rows % parts or data % slices:
        raise UsageError(
            f"train.batch_rows={rows} does not divide by {parts} = {microbatches} "
            f"microbatches × {data} (data) × {fsdp} (fsdp) on {devices} devices, or "
            f"data={data} not by {slices} slice(s); bind other sizes, such as "
            f"--gin.train.batch_rows={max(1, round(rows / parts)) * parts}."
        )


def _unused(config: Config) -> list[str]:
    """Notes on the user's own bindings that change nothing."""
    ours = {Path(name).name for name in files.shipped()}
    return [
        f"note: {binding} is bound, but nothing uses it."
        for binding in config.unused("train")
        if binding.partition(":")[0] not in ours
    ]
