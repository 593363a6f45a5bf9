"""Which gin file a name means, and which files it may include."""

import functools
import sys
from collections.abc import Iterable
from pathlib import Path

from ...objectives.errors import UsageError, nearest

SHIPPED = Path(__file__).resolve().parents[2] / "gin"
"""The gin files that ship with the package."""

FOLDERS = ("", "runs", "mixtures", "models", "studies")
"""Where a shipped file is looked for, below `SHIPPED`, in this order."""


def shipped() -> list[str]:
    """Names of all shipped gin files, relative to `gin/`, sorted."""
    return sorted(str(path.relative_to(SHIPPED)) for path in SHIPPED.rglob("*.gin"))


def find(name: str) -> Path:
    """The gin file that a user names: a path, or a shipped name (`quickstart.gin`).

    Raises:
      ValueError: there is no such file; the message names the nearest shipped one.
    """
    for path in (Path(name), *(SHIPPED / folder / name for folder in FOLDERS)):
        if path.is_file():
            _note_if_shipped(name, path.resolve())
            return path.resolve()
    if name and Path(name).is_dir():
        raise UsageError(f"{name!r} is a folder, and no gin file; name a file in it.")
    near = nearest(Path(name).name, _short(shipped()))
    raise UsageError(f"no gin file {name!r}; {near}")


def find_included(name: str, including: Path) -> Path:
    """The file that an `include` means: beside or below `including`, or shipped.

    A gin file may come from anywhere, so it must not be able to open any readable
    file, whose text the parser's errors would then show: paths that lead elsewhere,
    through `..`, an absolute name or a link, are refused.

    Args:
      name: what the `include` statement says.
      including: the file that says it.

    Raises:
      ValueError: the file is missing, or the path leads out of those folders.
    """
    here = including.resolve().parent
    roots = [here, *(SHIPPED / folder for folder in FOLDERS)]
    candidates = [root / name for root in roots if (root / name).is_file()]
    for path in candidates:
        inside = any(path.resolve().is_relative_to(root) for root in (here, SHIPPED))
        if inside and path.suffix == ".gin":
            _note_if_shipped(name, path.resolve())
            return path.resolve()
    if candidates or Path(name).is_absolute() or ".." in Path(name).parts:
        raise UsageError(
            f"include {name!r} leads out of {here} and of the shipped gin files; "
            "put the file beside or below the one that includes it."
        )
    if name and (here / name).is_dir():
        raise UsageError(
            f"include {name!r} is a folder, and no gin file; name a file in it."
        )
    valid = {
        *_short(shipped()),
        *(str(p.relative_to(here)) for p in here.glob("*.gin")),
    }
    near = nearest(Path(name).name, valid)
    raise UsageError(f"no gin file {name!r} to include; {near}")


@functools.cache  # a process reads a file as often as it needs it, and says so once
def _note_if_shipped(name: str, path: Path) -> None:
    """Says of a user's file that it stands in front of a shipped one of that name."""
    named = [(SHIPPED / folder / name).resolve() for folder in FOLDERS]
    known = any(p.is_relative_to(SHIPPED) and p.is_file() for p in named)
    if known and not path.is_relative_to(SHIPPED):
        print(
            f"note: {name} is {path}, not the shipped gin file of that name.",
            file=sys.stderr,
        )


def _short(names: Iterable[str]) -> list[str]:
    """The names by which shipped files are found: `t5.gin`, not `mixtures/t5.gin`."""
    parts = [Path(name).parts for name in names]
    return [str(Path(*p[1:] if p[0] in FOLDERS else p)) for p in parts]
