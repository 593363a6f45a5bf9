"""What this process did last: for barriers, the watchdog, and the other hosts."""

import time
from typing import NamedTuple


class Progress(NamedTuple):
    """The newest sign of progress.

    Attributes:
      what: is being done since.
      began: when, by `time.monotonic`.
      times: how many times longer than a step it may take.
    """

    what: str
    began: float
    times: float

    def __str__(self) -> str:
        return f"{self.what} (since {time.monotonic() - self.began:.0f} s)"


SLOW = 6.0
"""Times longer than a step that compiling, restoring, saving or evaluating may take."""

STALL_SECONDS = 600.0
"""Seconds without progress after which a process is taken to be stuck."""

MOST_SECONDS = 1e8
"""Of a limit that a user sets, three years: clocks and jax take no more than that."""

_latest = Progress("starting", time.monotonic(), 1)
_stall_seconds = STALL_SECONDS


def did(what: str, *, times: float = 1) -> None:
    """Notes that everything before this is done.

    Args:
      what: begins now, "running step 12".
      times: how many times longer than a step it may take; for compiling.
    """
    global _latest
    _latest = Progress(what, time.monotonic(), times)


def latest() -> Progress:
    """What was noted last."""
    return _latest


def set_stall_seconds(seconds: float) -> None:
    """Sets the limit of the watchdog and of barriers, at least 1."""
    global _stall_seconds
    _stall_seconds = float(seconds)


def stall_seconds() -> float:
    """Seconds without progress after which a process is taken to be stuck."""
    return _stall_seconds
