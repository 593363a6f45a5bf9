"""A run's directory: its contents, and whether a run may continue in it."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path

from ...objectives.errors import UsageError
from ...tasks.files import write_whole
from .lease import hold

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
"""Bindings that a resumed run may change. None alters what a step computes, except that
a schedule of length `train.steps` continues as one of the new length. A corpus may lie
elsewhere; its content is compared by its identity."""

_IDENTITIES = ("# vocabulary ", "# corpus ", "# mix ")
"""Prefixes of the lines that identify the vocabulary, documents and mixes of a run."""


def prepare_run_dir(
    run_dir: str | os.PathLike[str],
    config: str,
    *,
    identities: Mapping[str, str],
    done: str = "checkpoints/[0-9]*",
) -> Path:
    """Makes a run's directory and saves its resolved config in it.

    If it holds a run with a checkpoint already, the config must be the same except for
    `MAY_CHANGE`: continuing with other data or another model would be neither run. This
    process holds the lease of the directory until it ends.

    Args:
      run_dir: the directory, made if missing.
      config: the resolved gin config.
      identities: of the vocabulary, each corpus and each mix of a study, by name
        (`corpus text`): their contents may change under the same name.
      done: pattern of the files from which a run can continue.

    Raises:
      UsageError: another process is training in the directory, it cannot be written
        to, or it holds a run of another config; the message shows the difference.
    """
    folder = Path(run_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        hold(folder)
    except OSError as error:
        raise UsageError(
            f"cannot train in {str(folder)!r}: {error.strerror}; give a folder that "
            "can be made and written to."
        ) from error
    saved = folder / "config.gin"
    header = "".join(f"# {name} {value}\n" for name, value in identities.items())
    config = f"{header}{config}"
    if saved.exists() and any(folder.glob(done)):
        before, after = _compared_lines(saved.read_text()), _compared_lines(config)
        if before != after:
            difference = "\n".join(
                line
                for line in difflib.unified_diff(before, after, "saved", "now", n=0)
                if not line.startswith("@@")
            )
            raise UsageError(
                f"{folder} holds a run of another config:\n{difference}\n"
                "Resume it with its own config, or give this run another --run_dir."
            )
    write_whole(saved, config)
    return folder


def _compared_lines(config: str) -> list[str]:
    return [
        line
        for line in config.splitlines()
        if line.startswith(_IDENTITIES)
        or (line.strip() and not line.startswith(("#", *MAY_CHANGE)))
    ]
