"""Paths that a library would take for a pattern."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

SPECIAL = frozenset("[]*?\\")
"""Characters for which Orbax and TensorStore misread a path.

Orbax lists the parts of a checkpoint with a glob of their whole path: with `[1]` in it,
that matches none, and a checkpoint is committed without its arrays. TensorStore reads a
backslash as a slash.
"""


@contextlib.contextmanager
def literal_path(folder: Path) -> Iterator[Path]:
    """The folder itself, or a link to it whose path has no special character.

    The link lies in a temporary folder and goes with the context.

    Args:
      folder: an absolute path; the folder need not exist.
    """
    if SPECIAL.isdisjoint(str(folder)):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="sightline-") as temporary:
        link = Path(temporary, "folder")
        link.symlink_to(folder, target_is_directory=True)
        yield link
