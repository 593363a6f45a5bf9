"""Writes a memo: its files in a folder, all or none."""

import os
import tempfile
from pathlib import Path

from ...objectives.errors import UsageError
from ...tasks.files import write_whole
from .adapt_text import ADAPT, adapt_text
from .content import content
from .gin_text import gin_text
from .inputs import Memo, Provenance
from .pages import markdown, page

__all__ = ["ADAPT", "FILES", "Memo", "Provenance", "check", "texts", "write"]

_RECOMMENDED = "recommended.gin"

FILES = ("memo.md", "memo.html", _RECOMMENDED)
"""The files that are written."""


def check(out: Path) -> None:
    """Refuses a folder that cannot be written, before any work is done.

    Raises:
      UsageError: `out` is a file, a folder that holds anything but a memo, or lies
        where nothing can be written.
    """
    option = f"--out {str(out)!r}"
    try:
        if out.exists() and not out.is_dir():
            raise UsageError(f"{option} is a file; give a folder for the memo.")
        names = sorted(path.name for path in out.iterdir()) if out.exists() else []
        _beside(out).cleanup()
    except OSError as error:
        raise UsageError(
            f"{option} cannot be written ({error.strerror}); give a folder that can."
        ) from error
    if others := [name for name in names if name not in (*FILES, ADAPT)]:
        more = ", …" if len(others) > 3 else ""
        raise UsageError(
            f"{option} holds other files ({', '.join(others[:3])}{more}); give a new "
            "or empty folder, or that of a former memo, which is replaced."
        )


def _beside(out: Path) -> tempfile.TemporaryDirectory[str]:
    """A temporary folder on the same file system: in `out` or a parent of it."""
    where = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    return tempfile.TemporaryDirectory(prefix=".memo.", dir=where)


def texts(memo: Memo) -> dict[str, str]:
    """The text of each file, by name."""
    document, path = content(memo), memo.path(_RECOMMENDED)
    made = {
        "memo.md": markdown(document),
        "memo.html": page(document),
        _RECOMMENDED: gin_text(
            memo.mixture,
            memo.proposal,
            path=path,
            imports=memo.imports,
            start=memo.start,
        ),
    }
    if memo.adaptation:
        path = memo.path(ADAPT)
        made[ADAPT] = adapt_text(
            memo.mixture, memo.adaptation, path=path, imports=memo.imports
        )
    return made


def write(memo: Memo, out: Path) -> list[Path]:
    """Writes `FILES` into a folder, and `ADAPT` if the memo has an adaptation.

    They are written to a temporary folder and then moved into place, so that an error
    while they are made leaves `out` unchanged.

    Args:
      memo: its inputs.
      out: a new or empty folder, or that of a former memo, which is replaced.

    Returns:
      The paths of the files.

    Raises:
      UsageError: `out` cannot be written (`check`).
    """
    check(out)
    contents = texts(memo)
    out.parent.mkdir(parents=True, exist_ok=True)
    with _beside(out) as beside:
        for name, text in contents.items():
            write_whole(Path(beside, name), text)
        out.mkdir(exist_ok=True)
        for name in contents:
            os.replace(Path(beside, name), out / name)
        if ADAPT not in contents:
            (out / ADAPT).unlink(missing_ok=True)
    return [out / name for name in contents]
