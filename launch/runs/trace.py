"""What every step of a run computed, to the last bit: `run_dir/steps.jsonl`."""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from ..hosts import coordination
from .directory import close_after, storage_errors
from .json_lines import append_whole, read_lines
from .metrics import drop_after

NAME = "steps.jsonl"


class Step(NamedTuple):
    """What one step computed.

    Attributes:
      loss: float32, exactly: JSON writes the shortest decimal that reads back the same.
      grad_norm: likewise.
      skipped: "not finite" or "spike"; None where the parameters were updated.
    """

    loss: float
    grad_norm: float
    skipped: str | None = None


class StepTrace:
    """Appends a line for each step; `flush` it as often as metrics are written.

    A resumed run drops the lines of the steps that it takes again. Where a run has many
    hosts, the first one writes, since all know the same metrics.
    """

    def __init__(self, run_dir: str | os.PathLike[str], *, resume_step: int):
        """Opens the file, without the steps after `resume_step`.

        Raises:
          StorageError: it cannot be written.
        """
        self._path = Path(run_dir) / NAME
        self._lines: list[str] = []
        self._writes = coordination.process() == 0
        if self._writes:
            with storage_errors("the record of steps", self._path.parent):
                drop_after(self._path, step=resume_step)

    def write(self, number: int, step: Step) -> None:
        """Adds a step, by its number from 1."""
        if self._writes:
            # Python reads back NaN and Infinity, which JSON itself lacks.
            line = json.dumps({"step": number, **step._asdict()})
            self._lines.append(line + "\n")

    def flush(self) -> None:
        """Hands everything to the file system.

        Raises:
          StorageError: it cannot be written.
        """
        if not self._lines:
            return
        with storage_errors("the record of steps", self._path.parent):
            append_whole(self._path, "".join(self._lines))
        self._lines.clear()

    def close(self) -> None:
        """Writes the rest."""
        self.flush()

    def __enter__(self) -> "StepTrace":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        close_after(kind, self.close)


def traced_step(run_dir: str | os.PathLike[str], number: int) -> Step | None:
    """What a run computed at a step; None if no line is kept of it."""
    return dict(read_trace(run_dir)).get(number)


def read_trace(run_dir: str | os.PathLike[str]) -> list[tuple[int, Step]]:
    """Every step of a run that a line is kept of, by its number.

    Raises:
      UsageError: a line is something else.
    """
    return read_lines(Path(run_dir) / NAME, _numbered)


def _numbered(line: Any) -> tuple[int, Step]:
    loss, grad_norm = float(line["loss"]), float(line["grad_norm"])
    return int(line["step"]), Step(loss, grad_norm, line["skipped"])
