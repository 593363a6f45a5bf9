"""A signal ends a process outside of its training loop at once, with a right status."""

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import NamedTuple, NoReturn

from . import coordination
from .leaving import STOPPED, leave
from .signals import handled
from .watch import fail

_LOG = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGHUP)

_LEAVING_SECONDS = 10.0
"""More than it takes to tell the other processes, and to leave."""


class _Cause(NamedTuple):
    """Why this process stops itself, and with which status."""

    text: str
    status: int


_cause: _Cause | None = None


def stop_itself(text: str, *, status: int) -> None:
    """Stops this process as SIGTERM does: after a step in the loop, else at once.

    Args:
      text: why, as the user is to read it.
      status: with which it leaves if it does so at once.
    """
    global _cause
    _cause = _Cause(text, status)
    os.kill(os.getpid(), signal.SIGTERM)


@contextlib.contextmanager
def stopping_at_once(text: str) -> Iterator[None]:
    """A context in which SIGTERM and SIGHUP end the process with status 75.

    It is for what loses nothing by that, such as reading data and compiling, and what a
    signal would wait for: Python calls a handler between two of its own instructions,
    and compiling is one for minutes. So a thread is woken by the signal itself.
    Handlers that are set meanwhile (`training.stop`) take its place. Of other threads,
    and of signals that are ignored, see `handled`.

    Args:
      text: what to do after it, as the user is to read it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    woken, signalled = os.pipe()
    os.set_blocking(signalled, False)
    thread = threading.Thread(
        target=_listen, args=(woken, text), name="sightline-stop", daemon=True
    )
    before = signal.set_wakeup_fd(signalled)
    thread.start()
    try:
        with handled(SIGNALS, _wait):
            yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(signalled)
        thread.join()
        os.close(woken)


def _listen(woken: int, text: str) -> None:
    while numbers := os.read(woken, 1):
        if signal.getsignal(numbers[0]) is _wait:
            name = signal.Signals(numbers[0]).name
            _stop(_cause or _Cause(f"Stopped by {name}. {text}", STOPPED))


def _wait(number: int, frame: FrameType | None) -> NoReturn:
    """Waits for the thread to end the process, so that nothing is done any more."""
    del number, frame
    time.sleep(_LEAVING_SECONDS)
    leave(STOPPED)  # what the main thread holds, such as the log, may stop the thread


def _stop(cause: _Cause) -> NoReturn:
    """Ends the process, and all of the run; also if nothing can be told any more."""
    try:
        if coordination.introduced():
            fail(cause.text, status=cause.status)
        _LOG.warning("%s", cause.text, extra={"reason": cause.text})
    finally:
        leave(cause.status)
