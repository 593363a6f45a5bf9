"""Writes a memo: three files in a folder, all of them or none."""

import os
import tempfile
from pathlib import Path

from ...objectives.errors import UsageError
from .content import content
from .gin_text import gin_text
from .given import Looked, Memo
from .html import page
from .markdown import markdown

__all__ = ["FILES", "Looked", "Memo", "check", "texts", "write"]

FILES = ("memo.md", "memo.html", "recommended.gin")
"""What is written."""


def check(out: Path) -> None:
    """Refuses a folder that holds anything else, before any work is done for it.

    Raises:
      ValueError: `out` is a file, or a folder with other files than a memo's.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"--out {out} is a file; give a folder for the memo.")
    others = sorted(path.name for path in out.iterdir() if path.name not in FILES)
    if others:
        more = ", …" if len(others) > 3 else ""
        raise UsageError(
            f"--out {out} holds other files ({', '.join(others[:3])}{more}); give a "
            "new or empty folder, or that of a former memo, which is replaced."
        )


def texts(memo: Memo) -> dict[str, str]:
    """The text of each file, by name."""
    blocks = content(memo)
    title = f"Diagnosis of {memo.mixture.name}"
    gin = gin_text(memo.mixture, memo.proposal, start=memo.start)
    return {
        "memo.md": markdown(blocks),
        "memo.html": page(blocks, title=title),
        "recommended.gin": gin,
    }


def write(memo: Memo, out: Path) -> list[Path]:
    """Writes `memo.md`, `memo.html` and `recommended.gin` into a folder.

    They are written beside it first and take their places when all are there, each at
    once: whatever goes wrong while they are made, `out` is as it was.

    Args:
      memo: everything.
      out: a new or empty folder, or that of a former memo, which is replaced.

    Returns:
      The files.

    Raises:
      ValueError: `out` holds anything else (`check`).
    """
    check(out)
    made = texts(memo)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as beside:
        for name, text in made.items():
            Path(beside, name).write_text(text, encoding="utf-8")
        # A folder that is there stays: it may be where somebody stands.
        out.mkdir(exist_ok=True)
        for name in FILES:
            os.replace(Path(beside, name), out / name)
    return [out / name for name in FILES]
