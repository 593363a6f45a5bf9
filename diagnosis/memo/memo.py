"""Writes a memo: three files in a folder, all of them or none."""

import os
import tempfile
from pathlib import Path

from ...objectives.errors import UsageError
from ...tasks.files import write_whole
from .content import content
from .gin_text import gin_text
from .inputs import Memo, Provenance
from .pages import markdown, page

__all__ = ["FILES", "Memo", "Provenance", "check", "texts", "write"]

FILES = ("memo.md", "memo.html", "recommended.gin")
"""What is written."""


def check(out: Path) -> None:
    """Refuses a folder that cannot be written, before any work is done for it.

    Raises:
      UsageError: `out` is a file, a folder that holds anything but a memo, or lies
        where nothing can be written.
    """
    said = f"--out {str(out)!r}"
    try:
        if out.exists() and not out.is_dir():
            raise UsageError(f"{said} is a file; give a folder for the memo.")
        there = sorted(path.name for path in out.iterdir()) if out.exists() else []
        _beside(out).cleanup()
    except OSError as error:
        raise UsageError(
            f"{said} cannot be written ({error.strerror}); give a folder that can."
        ) from error
    if others := [name for name in there if name not in FILES]:
        more = ", …" if len(others) > 3 else ""
        raise UsageError(
            f"{said} holds other files ({', '.join(others[:3])}{more}); give a new or "
            "empty folder, or that of a former memo, which is replaced."
        )


def _beside(out: Path) -> tempfile.TemporaryDirectory[str]:
    """A temporary folder on the disk of `out`: in it, or in a folder above it."""
    where = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    return tempfile.TemporaryDirectory(prefix=".memo.", dir=where)


def texts(memo: Memo) -> dict[str, str]:
    """The text of each file, by name."""
    document = content(memo)
    return {
        "memo.md": markdown(document),
        "memo.html": page(document),
        "recommended.gin": gin_text(memo.mixture, memo.proposal, start=memo.start),
    }


def write(memo: Memo, out: Path) -> list[Path]:
    """Writes `memo.md`, `memo.html` and `recommended.gin` into a folder.

    They are written beside their places first and take them when all are there:
    whatever goes wrong while they are made, `out` is as it was.

    Args:
      memo: everything.
      out: a new or empty folder, or that of a former memo, which is replaced.

    Returns:
      The files.

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
        for name in FILES:
            os.replace(Path(beside, name), out / name)
    return [out / name for name in FILES]
