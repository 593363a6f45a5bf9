"""Metrics of a run: one flat JSON object per record, and trackers."""

import json
import logging
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from ..hosts import coordination
from .directory import close_after, storage_errors
from .json_lines import append_lines, append_whole, keep_lines, read_lines
from .trackers import any_service, open_tracker
from .trackers.tracker import Tracker, grid_of

_LOG = logging.getLogger(__name__)

Value = float | int | str | None

_IDS = "trackers.jsonl"
"""In the run's folder: under which id each service knows the run."""


class MetricsWriter:
    """Appends records to `run_dir/metrics.jsonl`, and hands them to trackers.

    A record is one line, written at once: `{"step": 10, "train/causal/loss": 3.2}`. A
    number that is not finite is written as a string, "NaN", "Infinity" or "-Infinity"
    (JSON has no such numbers, and null would not tell them apart); `float()` reads it.

    A run that resumes at step k may have records of later steps, from before it was
    stopped: they are dropped, so that the file ends as if it had not been stopped.
    TensorBoard drops them too; a service keeps them, and gets none of them again.
    """

    def __init__(
        self,
        run_dir: str | os.PathLike[str],
        *,
        resume_step: int = 0,
        trackers: Sequence[str] = ("tensorboard",),
    ):
        """Opens all, dropping records of steps after `resume_step`.

        Raises:
          StorageError: they cannot be written.
          UsageError: a tracker cannot be opened for a new run.
        """
        self._folder = folder = Path(run_dir)
        self._path = path = folder / "metrics.jsonl"
        with storage_errors("the metrics", folder):
            folder.mkdir(parents=True, exist_ok=True)
            recorded = _last_steps(path) if any_service(trackers) else {}
            drop_after(path, step=resume_step)
            ids = _tracker_ids(folder)
            self._trackers: list[Tracker] = []
            for name in trackers:
                tracker = open_tracker(
                    name,
                    folder,
                    run_id=ids.get(name),
                    resume_step=resume_step,
                    recorded=recorded,
                )
                self._trackers.append(tracker)
                if tracker.run_id and tracker.run_id != ids.get(name):
                    line = {"tracker": name, "id": tracker.run_id}
                    append_lines(folder / _IDS, [line])

    def write(self, step: int, values: Mapping[str, Value]) -> None:
        """Writes one record, whole or not at all as far as a reader sees.

        Args:
          step: training steps done; it becomes the record's "step".
          values: numbers go to the trackers too, strings and None to the file only.

        Raises:
          StorageError: it cannot be written.
        """
        record = {"step": step, **{name: _plain(v) for name, v in values.items()}}
        numbers = {n: v for n, v in values.items() if isinstance(v, int | float)}
        with storage_errors(f"the metrics of step {step}", self._folder):
            append_whole(self._path, json.dumps(record, allow_nan=False) + "\n")
            if numbers:
                for tracker in self._trackers:
                    tracker.scalars(step, numbers)

    def write_config(self, text: str) -> None:
        """Hands the resolved gin config to the trackers."""
        with storage_errors("the config", self._folder):
            for tracker in self._trackers:
                tracker.config(text)

    def write_table(self, step: int, name: str, table: Table | None) -> None:
        """Hands a table to the trackers."""
        if table is None:
            return
        grid = grid_of(table)
        with storage_errors(f"a table of step {step}", self._folder):
            for tracker in self._trackers:
                tracker.table(step, name, grid)

    def write_picture(self, step: int, name: str, draw: Callable[[], bytes]) -> None:
        """Hands a picture, PNG, to the trackers; draws it if there is one.

        Training does not depend on it: a drawing that fails is logged.
        """
        if not self._trackers:
            return
        try:
            png = draw()
        except Exception as error:
            _LOG.warning("no picture %r for the trackers: %s", name, error)
            return
        with storage_errors(f"a picture of step {step}", self._folder):
            for tracker in self._trackers:
                tracker.picture(step, name, png)

    def close(self, *, failed: bool = False) -> None:
        """Closes the trackers; what was written is in the file already.

        Args:
          failed: whether an error ends the run, which the trackers show.
        """
        with storage_errors("the metrics", self._folder):
            for tracker in self._trackers:
                tracker.close(failed=failed)

    def __enter__(self) -> "MetricsWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        close_after(kind, lambda: self.close(failed=kind is not None))


class NoMetrics:
    """In place of `MetricsWriter` on all hosts but the first."""

    def write(self, step: int, values: Mapping[str, Value]) -> None:
        """Writes nothing."""

    def write_config(self, text: str) -> None:
        """Writes nothing."""

    def write_table(self, step: int, name: str, table: Table | None) -> None:
        """Writes nothing."""

    def write_picture(self, step: int, name: str, draw: Callable[[], bytes]) -> None:
        """Draws and writes nothing."""

    def __enter__(self) -> "NoMetrics":
        return self

    def __exit__(self, *_: object) -> None:
        pass


def open_metrics(
    run_dir: str | os.PathLike[str], *, resume_step: int, trackers: Sequence[str]
) -> MetricsWriter | NoMetrics:
    """The writer of this host: the first writes, the others do not."""
    if coordination.process() > 0:
        return NoMetrics()
    return MetricsWriter(run_dir, resume_step=resume_step, trackers=trackers)


def read(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """The records of a metrics file; a torn last line is left out.

    Raises:
      UsageError: a line is no JSON object with a step.
    """
    return read_lines(Path(path), record)


def record(line: Any) -> dict[str, Any]:
    """The record on a line of a file that has a step on each.

    Raises:
      ValueError, TypeError or KeyError: the line holds something else.
    """
    if not isinstance(line, dict) or not isinstance(line["step"], int):
        raise ValueError("no record of a step")
    return line


def has_record(run_dir: str | os.PathLike[str], *, step: int, prefix: str) -> bool:
    """Whether a run has recorded a value of that prefix at a step."""
    return any(
        record["step"] == step and any(name.startswith(prefix) for name in record)
        for record in read(Path(run_dir) / "metrics.jsonl")
    )


def drop_after(path: str | os.PathLike[str], *, step: int) -> None:
    """Drops records of steps after `step`, and a torn last line, atomically.

    The other lines stay the same byte for byte. A missing file stays missing.
    """
    keep_lines(Path(path), record, where=lambda record: record["step"] <= step)


def _last_steps(path: Path) -> dict[str, int]:
    """The last step that has a value of each name."""
    records = sorted(read(path), key=lambda record: record["step"])
    return {name: record["step"] for record in records for name in record}


def _tracker_ids(folder: Path) -> dict[str, str]:
    """The ids under which trackers know the run."""
    return dict(read_lines(folder / _IDS, lambda line: (line["tracker"], line["id"])))


def _plain(value: Value) -> Value:
    """A value that JSON can hold."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
