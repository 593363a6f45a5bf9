"""Reads of prepared documents, whose damage is named with the cure."""

import os
from collections.abc import Callable
from typing import TypeVar

from ...objectives.errors import UsageError

T = TypeVar("T")

AGAIN = "delete that folder, and the next run prepares it again."
"""The cure where the corpus prepares itself."""


def sound(
    read: Callable[[], T], folder: str | os.PathLike[str], cure: str = AGAIN
) -> T:
    """What a read gives; what ArrayRecord raises of damage becomes one message.

    Args:
      read: reads a file of the folder.
      folder: of a prepared corpus.
      cure: what to do if it is damaged.

    Raises:
      UsageError: the file is damaged or missing.
    """
    try:
        return read()
    except (RuntimeError, ValueError, IndexError, EOFError, FileNotFoundError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UsageError(
            f"the prepared corpus {os.fspath(folder)} is damaged ({reason}); {cure}"
        ) from error
