"""A signal ends a process that has nothing to save at once, with the right status."""

import logging
import os
import signal
import threading
import time
from types import FrameType

from . import coordination
from .leaving import STOPPED, leave
from .watch import fail

_LOG = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGHUP)

_LEAVING_SECONDS = 10.0
"""More than it takes to tell the other processes, and to leave."""


class StopAtOnce:
    """A context in which SIGTERM and SIGHUP end the process with status 75.

    It is for what has nothing to lose, such as reading data and compiling, and what a
    signal would wait for: Python calls a handler between two of its own instructions,
    and compiling is one for minutes. So a thread is woken by the signal itself.
    Handlers that are set meanwhile (`training.stop`) take its place. A signal that is
    ignored (by `nohup`, or in a background shell) stays so. Only the main thread may
    change signal handlers; in another thread signals act as before.
    """

    def __init__(self) -> None:
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
                _stop(signal.Signals(numbers[0]).name)


def _wait(number: int, frame: FrameType | None) -> None:
    """Waits for the thread, so that nothing is done after the signal."""
    del number, frame
    time.sleep(_LEAVING_SECONDS)


def _stop(reason: str) -> None:
    text = f"Stopped by {reason}, with nothing to save; rerun the same command."
    if coordination.together():
        fail(text, status=STOPPED)
    _LOG.warning("%s", text, extra={"reason": reason})
    leave(STOPPED)
