"""Signals as requests: the run finishes its step, saves and exits."""

import contextlib
import signal
from types import FrameType

from ..hosts.signals import handled

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopRequested(Exception):
    """The run is to stop; raised where it would otherwise wait."""


class StopRequest:
    """A context in which a signal only makes a request; afterwards it acts as before.

    A second SIGINT ends the process at once. Of other threads, and of signals that are
    ignored, see `handled`.

    Attributes:
      reason: the name of the signal; "" as long as there is none.
    """

    def __init__(self) -> None:
        self.reason = ""
        self._stack = contextlib.ExitStack()

    @property
    def requested(self) -> bool:
        """Whether the run is to stop."""
        return bool(self.reason)

    def check(self) -> None:
        """Raises StopRequested if the run is to stop."""
        if self.requested:
            raise StopRequested(self.reason)

    def __enter__(self) -> "StopRequest":
        self._stack.enter_context(handled(SIGNALS, self._request))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _request(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.reason = self.reason or signal.Signals(number).name
        if number == signal.SIGINT:
            # The next one is not left to Python, which may be waiting for a device.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
