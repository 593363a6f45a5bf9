"""The folder of a study: bound to what its runs were trained as."""

import os
from collections.abc import Mapping
from pathlib import Path

from ...objectives.errors import UsageError
from ...tasks.files import write_whole
from ..runs.directory import RunDirectory, config_text, difference
from ..runs.run_identity import IDENTITIES, without
from .study import ADDING, DESCRIBING, MEASURING

_FREE = tuple(f"study.{name}" for name in (*MEASURING, *DESCRIBING, *ADDING))
"""Bindings that change no run that a folder has."""

_BOUND = ("runs/*", "records/*", "checkpoints")
"""What ties a folder to its config: files of a study, and those of a training run."""


def prepare_folder(
    folder: str | os.PathLike[str], config: str, *, identities: Mapping[str, str]
) -> Path:
    """Makes the folder, or finds it to be of the same config, and holds it.

    Mixes and seeds may come and go. `config.gin` keeps the identities of mixes that
    are gone, since the folder still holds their runs.

    Args:
      folder: made if missing, and held until this process ends.
      config: the resolved gin config.
      identities: of the vocabulary, each corpus and each mix, by name (`corpus text`):
        their contents may change under the same name.

    Raises:
      UsageError: another process is working in the folder, it cannot be written to, or
        it holds runs of another config, or of none that is there; the message shows
        the difference.
    """
    path = RunDirectory(folder, option="--out").path
    saved, gone = path / "config.gin", ""
    found = next((file for each in _BOUND for file in path.glob(each)), None)
    if found is not None and not saved.exists():
        raise UsageError(
            f"{path} holds {found.relative_to(path)} and no config.gin, which says "
            "of which config that is; put it back, or give another --out."
        )
    if found is not None:
        before = saved.read_text("utf-8")
        gone = _unnamed(before, identities)
        both = {n: value for n, value in identities.items() if f"# {n} " in before}
        now = gone + config_text(config, both)
        changes = difference(of_training(before), of_training(now))
        if changes:
            raise UsageError(
                f"{path} holds a run of another config:\n{changes}\n"
                "Resume it with its own config, or give this run another --out."
            )
    write_whole(saved, gone + config_text(config, identities))
    return path


def of_training(config: str) -> str:
    """A resolved config without what changes no run that a folder has."""
    return without(config, _FREE)


def _unnamed(config: str, names: Mapping[str, str]) -> str:
    """The lines of identities that have none of these names."""
    heads = tuple(f"# {name} " for name in names)
    lines = config.splitlines(keepends=True)
    return "".join(
        n for n in lines if n.startswith(IDENTITIES) and not n.startswith(heads)
    )
