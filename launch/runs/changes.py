"""What resumed starts have changed in the config of a run: `run_dir/changes.jsonl`."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .json_lines import append_lines, read_lines
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
    """Writes down what changes after a step.

    Raises:
      OSError: it cannot be written.
    """
    append_lines(run_dir / NAME, ({"step": step, **c._asdict()} for c in changes))


def read_changes(run_dir: str | os.PathLike[str]) -> list[Changed]:
    """The changes of a run, in the order in which they were made.

    Raises:
      UsageError: a line is something else.
    """
    return read_lines(Path(run_dir) / NAME, _changed)


def _changed(line: Any) -> Changed:
    change = Change(str(line["name"]), line["before"], line["after"])
    return Changed(int(line["step"]), change)
