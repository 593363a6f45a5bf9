"""Where every thread stands, on stderr and in a file of the run."""

import faulthandler
import os
import sys
import threading
import traceback
from pathlib import Path

_STDERR = 2
"""The file descriptor: `sys.stderr` may be replaced by what has none."""

_MOST = 100
"""Threads that `faulthandler` shows."""

_path: Path | None = None


def write_to(path: Path) -> None:
    """Chooses the file for `dump`; until then it writes to stderr alone."""
    global _path
    _path = path


def dump() -> None:
    """Writes the stacks of all threads, of the newest hundred where there are more."""
    if _path is not None:
        try:
            with _path.open("w") as file:
                _dump(file.fileno())
        except OSError as error:
            print(f"sightline: no stacks in {_path}: {error}", file=sys.stderr)
    _dump(_STDERR)


def _dump(descriptor: int) -> None:
    if threading.active_count() > _MOST:  # the main one, which trains, is the oldest
        frame = sys._current_frames()[threading.main_thread().ident or 0]
        lines = [
            "Main thread (most recent call last):\n",
            *traceback.format_stack(frame),
        ]
        os.write(descriptor, "".join(lines).encode())
    faulthandler.dump_traceback(descriptor, all_threads=True)


def end_later(seconds: float) -> None:
    """Writes them to stderr after a time, and ends the process; a new call replaces it.

    It needs no interpreter's lock.
    """
    faulthandler.dump_traceback_later(seconds, exit=True, file=_STDERR)


def end_never() -> None:
    """Takes the last call of `end_later` back."""
    faulthandler.cancel_dump_traceback_later()
