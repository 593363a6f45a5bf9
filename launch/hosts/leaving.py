"""How a process leaves: its statuses, and the way that cannot hang."""

import atexit
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn

STOPPED = os.EX_TEMPFAIL
"""Exit status 75: stopped on request, with everything saved."""

STALLED = 76
"""Exit status: no progress for `train.stall_seconds`."""

PEER_FAILED = 77
"""Exit status: another process of the run failed, and this one left with it."""

_callbacks: list[Callable[[], object]] = []
_leaving = threading.Lock()


def on_leaving(callback: Callable[[], object]) -> None:
    """Calls it when the process ends, also by `leave`; it must not block.

    What it raises there is passed over.
    """
    _callbacks.append(callback)
    atexit.register(callback)


def leave(status: int) -> NoReturn:
    """Ends the process at once, from any thread.

    A normal exit waits for threads and for peers, which is how a run whose collective
    misses a peer hangs. What is printed is flushed.
    """
    if not _leaving.acquire(blocking=False):
        time.sleep(60)  # another thread is leaving
    for callback in _callbacks:
        with contextlib.suppress(Exception):  # nothing may keep the process here
            callback()
    for stream in (sys.stdout, sys.stderr):
        # Closed; or called by a signal in the midst of a write.
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            stream.flush()
    os._exit(status)
