"""A run's directory: what is in it, and whether a run may go on in it."""

import difflib
import fcntl
import os
from collections.abc import Mapping
from pathlib import Path

from ...objectives.errors import UsageError
from ...tasks.files import write_whole

MAY_CHANGE = (
    "train.steps",
    "train.log_every",
    "train.eval_every",
    "train.eval_batches",
    "train.checkpoint_every",
    "train.keep",
    "train.mesh",
    "MeshShape.",
    "text.folder",
    "wikipedia.data_dir",
    "c4.data_dir",
)
"""Bindings that a resumed run may change: none alters what a step computes, but that a
schedule whose length is `train.steps` goes on as that of the new length. Where a corpus
lies may change; its content is compared by its identity."""

_IDENTITIES = ("# vocabulary ", "# corpus ", "# mix ")
"""How lines begin that say which vocabulary, documents and mixes a run's names stand
for."""


def prepare_run_dir(
    run_dir: str | os.PathLike[str],
    config: str,
    *,
    identities: Mapping[str, str],
    done: str = "checkpoints/[0-9]*",
) -> Path:
    """Makes a run's directory and saves its resolved config in it.

    Where there is one already, with a checkpoint to go on from, it must be the same,
    but for `MAY_CHANGE`: going on with other data or another model would be neither
    run. The directory is this process's until it ends.

    Args:
      run_dir: the directory, made when missing.
      config: the resolved gin config.
      identities: of the vocabulary, each corpus and each mix of a study, by name
        (`corpus text`): what they are of changes under its name.
      done: pattern of what a run leaves that can be gone on from.

    Raises:
      UsageError: another process is training in the directory, it cannot be written
        to, or it holds a run of another config; the message shows the difference.
    """
    folder = Path(run_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _lock(folder)
    except OSError as error:
        raise UsageError(
            f"cannot train in {str(folder)!r}: {error.strerror}; give a folder that "
            "can be made and written to."
        ) from error
    saved = folder / "config.gin"
    said = "".join(f"# {name} {value}\n" for name, value in identities.items())
    config = f"{said}{config}"
    if saved.exists() and any(folder.glob(done)):
        before, now = _compared(saved.read_text()), _compared(config)
        if before != now:
            difference = "\n".join(
                line
                for line in difflib.unified_diff(before, now, "saved", "now", n=0)
                if not line.startswith("@@")
            )
            raise UsageError(
                f"{folder} holds a run of another config:\n{difference}\n"
                "Resume it with its own config, or give this run another --run_dir."
            )
    write_whole(saved, config)
    return folder


_LOCKS: dict[Path, int] = {}
"""Open lock files of this process; the system frees them when it ends, however."""


def _lock(folder: Path) -> None:
    path = (folder / "lock").resolve()
    if path in _LOCKS:
        return
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise UsageError(
            f"another process is training in {folder}; wait for it or stop it, or give "
            "this run another --run_dir."
        ) from error
    _LOCKS[path] = descriptor


def _compared(config: str) -> list[str]:
    return [
        line
        for line in config.splitlines()
        if line.startswith(_IDENTITIES)
        or (line.strip() and not line.startswith(("#", *MAY_CHANGE)))
    ]
