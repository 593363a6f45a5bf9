"""SIGTERM as a request: the run finishes its step, saves, and leaves."""

import signal
from types import FrameType


class StopRequest:
    """A context in which SIGTERM only sets `asked`; outside it does what it did."""

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> "StopRequest":
        self._before = signal.signal(signal.SIGTERM, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGTERM, self._before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.asked = True
