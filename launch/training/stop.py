"""Signals as requests: the run finishes its step, saves and exits."""

import signal
import threading
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopRequested(Exception):
    """The run is to stop; raised where it would otherwise wait."""


class StopRequest:
    """A context in which a signal only makes a request; afterwards it acts as before.

    A second SIGINT ends the process at once. A signal that is ignored (by `nohup`, or
    in a background shell) stays so. Only the main thread may change signal handlers; in
    another thread signals act as before.

    Attributes:
      reason: the name of the signal; "" as long as there is none.
    """

    def __init__(self) -> None:
        self.reason = ""
        self._before: dict[int, signal.Handlers | object] = {}

    @property
    def requested(self) -> bool:
        """Whether the run is to stop."""
        return bool(self.reason)

    def check(self) -> None:
        """Raises StopRequested if the run is to stop."""
        if self.requested:
            raise StopRequested(self.reason)

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                before = signal.getsignal(number)
                if before not in (signal.SIG_IGN, None):
                    self._before[number] = before
                    signal.signal(number, self._request)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]

    def _request(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.reason = self.reason or signal.Signals(number).name
        if number == signal.SIGINT:
            # The next one is not left to Python, which may be waiting for a device.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
