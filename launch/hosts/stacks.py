"""Where every thread stands, on stderr and in a file of the run."""

import faulthandler
import sys
from pathlib import Path

_STDERR = 2
"""The file descriptor: `sys.stderr` may be replaced by what has none."""

_path: Path | None = None


def write_to(path: Path) -> None:
    """Chooses the file for `dump`; until then it writes to stderr alone."""
    global _path
    _path = path


def dump() -> None:
    """Writes the stacks of all threads."""
    if _path is not None:
        try:
            with _path.open("w") as file:
                faulthandler.dump_traceback(file, all_threads=True)
        except OSError as error:
            print(f"sightline: no stacks in {_path}: {error}", file=sys.stderr)
    faulthandler.dump_traceback(_STDERR, all_threads=True)


def end_later(seconds: float) -> None:
    """Writes them to stderr after a time, and ends the process; a new call replaces it.

    It needs no interpreter's lock.
    """
    faulthandler.dump_traceback_later(seconds, exit=True, file=_STDERR)


def end_never() -> None:
    """Takes the last call of `end_later` back."""
    faulthandler.cancel_dump_traceback_later()
