"""What lies in a folder of a user's, and what of it a corpus does not read."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..files import is_hidden

_LISTED = 8  # kinds of files that a line tells apart


def walk(folder: Path, *, hidden: bool = False) -> Iterator[Path]:
    """The files below a folder; each real folder once, even if links form a cycle.

    Links are followed.

    Args:
      folder: to look through.
      hidden: also those whose name, or whose folder's, begins with a dot.

    Raises:
      OSError: a folder cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise error

    def kept(names: Iterable[str]) -> list[str]:
        return sorted(name for name in names if hidden or not name.startswith("."))

    seen: set[tuple[int, int]] = set()
    for here, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        state = os.stat(here)
        if (state.st_dev, state.st_ino) in seen:
            folders.clear()
            continue
        seen.add((state.st_dev, state.st_ino))
        folders[:] = kept(folders)
        for name in kept(names):
            yield Path(here, name)


def never_read(folder: Path, path: Path) -> str:
    """Why no corpus reads such a file, whatever its ending; "" if one may."""
    if is_hidden(path.relative_to(folder)):
        return "hidden"
    if path.exists() and not path.is_file():
        return "special (pipe, socket or device)"
    return ""


def ending(path: Path) -> str:
    """The ending of a file's name, as it is counted."""
    return path.suffix or "without an ending"


def listed(kinds: Iterable[str]) -> str:
    """The kinds of files, counted: `12 .pdf, 3 hidden`; "" if there are none."""
    ordered = sorted(Counter(kinds).items(), key=lambda item: (-item[1], item[0]))
    others = sum(count for _, count in ordered[_LISTED:])
    shown = [*ordered[:_LISTED], *([("of other kinds", others)] if others else [])]
    return ", ".join(f"{count:,} {kind}" for kind, count in shown)
