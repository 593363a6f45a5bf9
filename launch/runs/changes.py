"""What resumed starts have changed in the config of a run: `run_dir/changes.jsonl`."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .json_lines import append_lines, keep_lines, read_lines
from .run_identity import Change

NAME = "changes.jsonl"


class Changed(NamedTuple):
    """A change of a run.

    Attributes:
      step: after which it holds.
      change: of one binding.
    """

    step: int
    change: Change


def append_changes(run_dir: Path, step: int, changes: Sequence[Change]) -> None:
    """Writes down what changes after a step, since the checkpoint of that step.

    What earlier starts changed from there on is dropped: those steps are taken again.

    Raises:
      OSError: it cannot be written.
      UsageError: a line of the file is something else.
    """
    path = run_dir / NAME
    keep_lines(path, _changed, where=lambda earlier: earlier.step < step)
    if changes:
        append_lines(path, ({"step": step, **c._asdict()} for c in changes))


def read_changes(run_dir: str | os.PathLike[str]) -> list[Changed]:
    """The changes of a run, in the order in which they were made.

    Raises:
      UsageError: a line is something else.
    """
    return read_lines(Path(run_dir) / NAME, _changed)


def _changed(line: Any) -> Changed:
    change = Change(str(line["name"]), line["before"], line["after"])
    return Changed(int(line["step"]), change)
