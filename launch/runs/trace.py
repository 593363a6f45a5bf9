"""What every step of a run computed, to the last bit: `run_dir/steps.jsonl`."""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from .metrics import drop_after, read

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

    A resumed run drops the lines of the steps that it takes again.
    """

    def __init__(self, run_dir: str | os.PathLike[str], *, resume_step: int):
        path = Path(run_dir) / NAME
        drop_after(path, step=resume_step)
        self._file = path.open("a", encoding="utf-8")

    def write(self, number: int, step: Step) -> None:
        """Adds a step, by its number from 1."""
        # Python reads back NaN and Infinity, which JSON itself lacks.
        self._file.write(json.dumps({"step": number, **step._asdict()}) + "\n")

    def flush(self) -> None:
        """Hands everything to the file system."""
        self._file.flush()

    def close(self) -> None:
        """Flushes and closes."""
        self._file.close()

    def __enter__(self) -> "StepTrace":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def traced_step(run_dir: str | os.PathLike[str], number: int) -> Step | None:
    """What a run computed at a step; None if no line is kept of it."""
    path = Path(run_dir) / NAME
    lines: list[dict[str, Any]] = read(path) if path.exists() else []
    for line in lines:
        if line["step"] == number:
            return Step(line["loss"], line["grad_norm"], line["skipped"])
    return None
