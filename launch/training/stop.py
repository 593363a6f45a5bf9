"""SIGTERM as a request: the run finishes its step, saves and exits."""

import signal
import threading
from types import FrameType


class StopRequest:
    """A context in which SIGTERM only sets `requested`; afterwards it acts as before.

    Only the main thread may change a signal handler; in another thread SIGTERM acts as
    before.
    """

    def __init__(self) -> None:
        self.requested = False
        self._in_main = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> "StopRequest":
        if self._in_main:
            self._previous = signal.signal(signal.SIGTERM, self._request)
        return self

    def __exit__(self, *_: object) -> None:
        if self._in_main:
            signal.signal(signal.SIGTERM, self._previous)

    def _request(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.requested = True
