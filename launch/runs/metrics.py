"""Metrics files: one flat JSON object per record, and TensorBoard."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

from tensorboardX import SummaryWriter

from ...objectives.errors import UsageError
from ...tasks.files import write_whole
from ..hosts import coordination

Value = float | int | str | None


class MetricsWriter:
    """Appends records to `run_dir/metrics.jsonl` and scalars to `run_dir/tensorboard`.

    A record is one line, written at once: `{"step": 10, "train/causal/loss": 3.2}`. A
    number that is not finite is written as a string, "NaN", "Infinity" or "-Infinity"
    (JSON has no such numbers, and null would not tell them apart); `float()` reads it.

    A run that resumes at step k may have records of later steps, from before it was
    stopped: they are dropped, so that the file ends as if it had not been stopped.
    """

    def __init__(self, run_dir: str | os.PathLike[str], *, resume_step: int = 0):
        """Opens both, dropping records of steps after `resume_step`."""
        folder = Path(run_dir)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "metrics.jsonl"
        drop_after(path, step=resume_step)
        self._file = path.open("a", encoding="utf-8", buffering=1)
        # TensorBoard drops what an earlier run in this folder wrote beyond this step.
        self._board = SummaryWriter(
            str(folder / "tensorboard"), purge_step=resume_step + 1, flush_secs=10
        )

    def write(self, step: int, values: Mapping[str, Value]) -> None:
        """Writes one record.

        Args:
          step: training steps done; it becomes the record's "step".
          values: numbers go to both, strings and None to the file only.
        """
        record = {"step": step, **{name: _plain(v) for name, v in values.items()}}
        self._file.write(json.dumps(record, allow_nan=False) + "\n")
        for name, value in values.items():
            if isinstance(value, int | float):
                self._board.add_scalar(name, value, step)

    def close(self) -> None:
        """Flushes the buffers and closes both."""
        self._file.close()
        self._board.close()

    def __enter__(self) -> "MetricsWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class NoMetrics:
    """In place of `MetricsWriter` on all hosts but the first."""

    def write(self, step: int, values: Mapping[str, Value]) -> None:
        """Writes nothing."""

    def __enter__(self) -> "NoMetrics":
        return self

    def __exit__(self, *_: object) -> None:
        pass


def open_metrics(
    run_dir: str | os.PathLike[str], *, resume_step: int
) -> MetricsWriter | NoMetrics:
    """The writer of this host: the first writes, the others do not."""
    if coordination.process() > 0:
        return NoMetrics()
    return MetricsWriter(run_dir, resume_step=resume_step)


def read(path: str | os.PathLike[str]) -> list[dict]:
    """The records of a metrics file; a torn last line is left out.

    Raises:
      ValueError: a line before the last is no JSON object.
    """
    return [record for record, _ in _records(Path(path))]


def has_record(run_dir: str | os.PathLike[str], *, step: int, prefix: str) -> bool:
    """Whether a run has recorded a value of that prefix at a step."""
    path = Path(run_dir) / "metrics.jsonl"
    return path.exists() and any(
        record["step"] == step and any(name.startswith(prefix) for name in record)
        for record in read(path)
    )


def drop_after(path: str | os.PathLike[str], *, step: int) -> None:
    """Drops records of steps after `step`, and a torn last line, atomically.

    The other lines stay the same byte for byte. A missing file stays missing.
    """
    path = Path(path)
    if not path.exists():
        return
    kept = "".join(line for record, line in _records(path) if record["step"] <= step)
    write_whole(path, kept)


def _records(path: Path) -> list[tuple[dict, str]]:
    """Each record with its line."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    records = []
    for number, line in enumerate(lines, start=1):
        record = _record(line)
        if record is not None:
            records.append((record, line))
        elif number < len(lines):
            raise UsageError(
                f"{path}:{number}: not a record: {line[:80]!r}; only the last line "
                "may be torn. Move the file away to start a new one."
            )
    return records


def _record(line: str) -> dict | None:
    """The record on a line; None if it is torn."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    whole = line.endswith("\n") and isinstance(record, dict)
    return record if whole and isinstance(record.get("step"), int) else None


def _plain(value: Value) -> Value:
    """A value that JSON can hold."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
