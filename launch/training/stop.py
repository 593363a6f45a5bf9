"""SIGTERM as a request: the run finishes its step, saves, and leaves."""

import signal
import threading
from types import FrameType


class StopRequest:
    """A context in which SIGTERM only sets `asked`; outside it does what it did.

    Only the main thread may change what a signal does; in another one SIGTERM keeps
    its meaning.
    """

    def __init__(self) -> None:
        self.asked = False
        self._in_main = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> "StopRequest":
        if self._in_main:
            self._before = signal.signal(signal.SIGTERM, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        if self._in_main:
            signal.signal(signal.SIGTERM, self._before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.asked = True
