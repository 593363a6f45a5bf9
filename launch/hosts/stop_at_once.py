"""A signal ends a process outside of its training loop at once, with a right status."""

import logging
import os
import signal
import threading
import time
from types import FrameType
from typing import NamedTuple, NoReturn

from . import coordination
from .leaving import STOPPED, leave
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


class StopAtOnce:
    """A context in which SIGTERM and SIGHUP end the process with status 75.

    It is for what loses nothing by that, such as reading data and compiling, and what a
    signal would wait for: Python calls a handler between two of its own instructions,
    and compiling is one for minutes. So a thread is woken by the signal itself.
    Handlers that are set meanwhile (`training.stop`) take its place. A signal that is
    ignored (by `nohup`, or in a background shell) stays so. Only the main thread may
    change signal handlers; in another thread signals act as before.
    """

    def __init__(self, text: str) -> None:
        """Acts once entered.

        Args:
          text: what to do after it, as the user is to read it.
        """
        self._text = text
        self._before: dict[int, signal.Handlers | object] = {}

    def __enter__(self) -> "StopAtOnce":
        if threading.current_thread() is not threading.main_thread():
            return self
        self._woken, self._signalled = os.pipe()
        os.set_blocking(self._signalled, False)
        self._woken_before = signal.set_wakeup_fd(self._signalled)
        self._thread = threading.Thread(
            target=self._listen, name="sightline-stop", daemon=True
        )
        self._thread.start()
        for number in SIGNALS:
            before = signal.getsignal(number)
            if before not in (signal.SIG_IGN, None):
                self._before[number] = before
                signal.signal(number, _wait)
        return self

    def __exit__(self, *_: object) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]
        signal.set_wakeup_fd(self._woken_before)
        os.close(self._signalled)
        self._thread.join()
        os.close(self._woken)

    def _listen(self) -> None:
        while numbers := os.read(self._woken, 1):
            if signal.getsignal(numbers[0]) is _wait:
                name = signal.Signals(numbers[0]).name
                _stop(_cause or _Cause(f"Stopped by {name}. {self._text}", STOPPED))


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
