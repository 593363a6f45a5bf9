"""Reads of prepared documents, whose damage is named with the cure."""

import os
from collections.abc import Callable
from typing import TypeVar

from ...objectives.errors import UsageError

T = TypeVar("T")


def sound(read: Callable[[], T], folder: str | os.PathLike[str]) -> T:
    """What a read gives; what ArrayRecord raises of damage becomes one message.

    Args:
      read: reads a file of the folder.
      folder: of a prepared corpus.

    Raises:
      UsageError: the file is damaged or missing.
    """
    try:
        return read()
    except (RuntimeError, ValueError, IndexError, EOFError, FileNotFoundError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UsageError(
            f"the prepared corpus {os.fspath(folder)} is damaged ({reason}); delete "
            "that folder and prepare it again: `text` and `python_docs` are prepared "
            "by the next run, `english` by `sightline corpus english --fetch`."
        ) from error
