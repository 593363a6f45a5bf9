"""TensorBoard: event files in the run's own folder, written by the caller's thread.

tensorboardX's own writer leaves that to another thread, which dies of a full disk
without a word; its queue then fills, and the run waits for ever.
"""

import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorboardX.proto import event_pb2, summary_pb2
from tensorboardX.record_writer import RecordWriter
from tensorboardX.summary import scalar, text as text_summary

from .tracker import Grid

# Their classes are made when they are imported.
_EVENT: Any = event_pb2
_SUMMARY: Any = summary_pb2

_PREFIX = "events.out.tfevents"


def open_run(
    run_dir: Path, *, run_id: str | None, resume_step: int, recorded: Mapping[str, int]
) -> "TensorBoard":
    """Opens a file of `run_dir/tensorboard`."""
    del run_id, recorded  # a folder is a run, and later steps are dropped from it
    return TensorBoard(run_dir / "tensorboard", resume_step)


class TensorBoard:
    """A file of events."""

    run_id = ""

    def __init__(self, folder: Path, resume_step: int):
        self._resume_step = resume_step
        folder.mkdir(parents=True, exist_ok=True)
        self._events = RecordWriter(str(folder / _next_name(folder)))
        self._add(file_version="brain.Event:2")
        # It drops what an earlier run wrote in this folder from here on.
        start = _EVENT.SessionLog(status=_EVENT.SessionLog.START)
        self._add(step=resume_step + 1, session_log=start)
        self._events.flush()

    def config(self, text: str) -> None:
        # Markdown: indented lines are shown as they are.
        indented = "\n".join(f"    {line}" for line in text.splitlines())
        summary = text_summary("config.gin", indented)
        self._add(step=self._resume_step, summary=summary)
        self._events.flush()

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._add(step=step, summary=scalar(name, value))
        self._events.flush()

    def table(self, step: int, name: str, grid: Grid) -> None:
        lines = [grid.columns, ["---"] * len(grid.columns), *grid.rows]
        markdown = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        self._add(step=step, summary=text_summary(name, markdown))
        self._events.flush()

    def picture(self, step: int, name: str, png: bytes) -> None:
        image = _SUMMARY.Summary.Image(encoded_image_string=png, colorspace=4)
        value = _SUMMARY.Summary.Value(tag=name, image=image)
        self._add(step=step, summary=_SUMMARY.Summary(value=[value]))
        self._events.flush()

    def close(self, *, failed: bool) -> None:
        self._events.close()

    def _add(self, **fields: Any) -> None:
        event = _EVENT.Event(wall_time=time.time(), **fields)
        self._events.write(event.SerializeToString())


def _next_name(folder: Path) -> str:
    """The name of a file that TensorBoard reads after those that are there.

    It reads them in the order of their names, which hold the time in seconds; a clock
    that was set back must not put a file before the one that it continues.
    """
    times = [path.name.split(".")[3] for path in folder.glob(f"{_PREFIX}.*.*")]
    latest = max((int(text) for text in times if text.isdecimal()), default=0)
    return f"{_PREFIX}.{max(int(time.time()), latest + 1)}.{socket.gethostname()}"
