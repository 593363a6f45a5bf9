"""Metrics files: one flat JSON object per record, and TensorBoard."""

import json
import math
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorboardX.proto import event_pb2
from tensorboardX.record_writer import RecordWriter
from tensorboardX.summary import scalar

from ...objectives.errors import UsageError
from ...tasks.files import write_whole
from ..hosts import coordination
from .directory import close_after, storage_errors

Value = float | int | str | None

_PROTO: Any = event_pb2  # its classes are made when it is imported


class MetricsWriter:
    """Appends records to `run_dir/metrics.jsonl` and scalars to `run_dir/tensorboard`.

    A record is one line, written at once: `{"step": 10, "train/causal/loss": 3.2}`. A
    number that is not finite is written as a string, "NaN", "Infinity" or "-Infinity"
    (JSON has no such numbers, and null would not tell them apart); `float()` reads it.

    A run that resumes at step k may have records of later steps, from before it was
    stopped: they are dropped, so that the file ends as if it had not been stopped.

    Everything is written by the caller's thread. tensorboardX's own writer leaves that
    to another one, which dies of a full disk without a word; its queue then fills, and
    the run waits for ever.
    """

    def __init__(self, run_dir: str | os.PathLike[str], *, resume_step: int = 0):
        """Opens both, dropping records of steps after `resume_step`.

        Raises:
          StorageError: they cannot be written.
        """
        self._folder = folder = Path(run_dir)
        path = folder / "metrics.jsonl"
        with storage_errors("the metrics", folder):
            drop_after(path, step=resume_step)
            board = folder / "tensorboard"
            board.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8", buffering=1)
            # TensorBoard reads files of a folder in the order of their names.
            name = f"events.out.tfevents.{time.time():.0f}.{socket.gethostname()}"
            self._board = RecordWriter(str(board / name))
            self._add(file_version="brain.Event:2")
            # It drops what an earlier run wrote in this folder from here on.
            start = _PROTO.SessionLog(status=_PROTO.SessionLog.START)
            self._add(step=resume_step + 1, session_log=start)
            self._board.flush()

    def write(self, step: int, values: Mapping[str, Value]) -> None:
        """Writes one record, whole or not at all as far as a reader sees.

        Args:
          step: training steps done; it becomes the record's "step".
          values: numbers go to both, strings and None to the file only.

        Raises:
          StorageError: it cannot be written.
        """
        record = {"step": step, **{name: _plain(v) for name, v in values.items()}}
        numbers = {n: v for n, v in values.items() if isinstance(v, int | float)}
        with storage_errors(f"the metrics of step {step}", self._folder):
            self._file.write(json.dumps(record, allow_nan=False) + "\n")
            for name, value in numbers.items():
                self._add(step=step, summary=scalar(name, value))
            self._board.flush()

    def close(self) -> None:
        """Closes both; what was written is in them already."""
        with storage_errors("the metrics", self._folder):
            try:
                self._file.close()
            finally:
                self._board.close()

    def _add(self, **fields: Any) -> None:
        event = _PROTO.Event(wall_time=time.time(), **fields)
        self._board.write(event.SerializeToString())

    def __enter__(self) -> "MetricsWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        close_after(kind, self.close)


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
