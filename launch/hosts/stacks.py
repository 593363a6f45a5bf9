"""Where every thread stands, on stderr and in a file of the run."""

import faulthandler
import sys
from pathlib import Path

_path: Path | None = None


def write_to(path: Path | None) -> None:
    """Chooses the file for `dump`; None: stderr alone."""
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
    faulthandler.dump_traceback(sys.__stderr__, all_threads=True)
