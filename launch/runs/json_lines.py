"""Reads the `.jsonl` files of a run, of which a kill may tear the last line."""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from ...objectives.errors import UsageError
from ...tasks.files import write_whole

T = TypeVar("T")

Parse = Callable[[Any], T]
"""Makes of a line's JSON what it stands for; raises one of `_DAMAGE` where it is
something else."""

_DAMAGE = (
    *(ValueError, TypeError, KeyError, AttributeError),
    *(OverflowError, RecursionError),  # a number beyond floats, too many brackets
)


def read_lines(path: Path, parse: Parse[T]) -> list[T]:
    """What the lines of a file stand for; a missing file has none.

    A last line without its end, as a kill leaves it, is left out.

    Raises:
      UsageError: a line is something else; names the file and the line.
    """
    return [value for value, _ in _lines(path, parse)]


def keep_lines(
    path: Path, parse: Parse[T], *, where: Callable[[T], bool] = lambda _: True
) -> None:
    """Drops a torn last line, and lines that fail a condition, atomically.

    The other lines stay the same byte for byte. A missing file stays missing.

    Raises:
      UsageError: as `read_lines`.
      OSError: the file cannot be written.
    """
    if path.exists():
        kept = "".join(line for value, line in _lines(path, parse) if where(value))
        write_whole(path, kept)


def append_lines(path: Path, values: Iterable[Any]) -> None:
    """Appends a line for each value to a short file, in place of a torn last line.

    The whole file is read; `append_whole` suits one that grows.

    Raises:
      OSError: the file cannot be written.
    """
    lines = "".join(json.dumps(value) + "\n" for value in values)
    with path.open("ab+") as file:
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.write(lines.encode())


def append_whole(path: Path, text: str) -> None:
    """Appends text, or nothing: a full disk leaves no part of it.

    So what is appended later, once there is space again, begins on a line of its own.

    Raises:
      OSError: the file cannot be written; it is as it was.
    """
    size = path.stat().st_size if path.exists() else 0
    try:
        # Some file systems tell only at the close that a write has failed.
        with path.open("a", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError:
        if path.exists():
            os.truncate(path, size)
        raise


def _lines(path: Path, parse: Parse[T]) -> list[tuple[T, str]]:
    """Each whole line with what it stands for."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        lines = [line for line in file if line.endswith("\n")]
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append((parse(json.loads(line)), line))
        except _DAMAGE as error:
            raise UsageError(
                f"{path}:{number} is damaged: {line[:80]!r}; only a last line without "
                "its end may be torn. Restore the line, or move the file away to go on "
                "without what it holds."
            ) from error
    return found
