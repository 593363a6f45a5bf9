"""What `sightline train` would refuse, found before anything is submitted."""

import dataclasses
import inspect
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
from ...training.settings import check_elsewhere
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

    Of the mesh, what is wrong on any number of devices is found.

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
    settings = {**defaults, **settings}
    check_elsewhere(settings, devices=settings["mesh"].fewest)
    return Checked(text, settings, tuple(_unused(config)))


def check_devices(checked: Checked, *, devices: int, slices: int = 1) -> None:
    """Refuses a mesh, a model or a batch that the devices cannot hold.

    Args:
      checked: the configuration.
      devices: of all slices together.
      slices: groups of devices that only the data-centre network joins.

    Raises:
      UsageError: the mesh asks for another number of devices or slices, or a
        parameter or the rows of a batch do not divide among them.
    """
    mesh: MeshShape = checked.settings["mesh"]
    if mesh.slices != slices:
        raise UsageError(
            f"MeshShape.slices is {mesh.slices}, and the job has {slices} slice(s); "
            f"bind --gin.MeshShape.slices={slices}."
        )
    check_elsewhere(checked.settings, devices=devices)


def _unused(config: Config) -> list[str]:
    """Notes on the user's own bindings that change nothing."""
    ours = {Path(name).name for name in files.shipped()}
    return [
        f"note: {binding} is bound, but nothing uses it."
        for binding in config.unused("train")
        if binding.partition(":")[0] not in ours
    ]
