"""Signal handlers for as long as something runs."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from types import FrameType


@contextlib.contextmanager
def handled(
    numbers: Iterable[signal.Signals],
    handler: Callable[[int, FrameType | None], object],
) -> Iterator[None]:
    """Signals go to a handler; afterwards they act as before.

    A signal that is ignored (by `nohup`, or in a background shell) stays so, and so
    does one whose handler is not Python's. Only the main thread may change signal
    handlers; in another thread signals act as before.

    Args:
      numbers: of the signals.
      handler: called in the main thread, as by `signal.signal`.
    """
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in numbers}
    changed = {n: b for n, b in before.items() if b not in (signal.SIG_IGN, None)}
    try:
        for number in changed:
            signal.signal(number, handler)
        yield
    finally:
        for number, previous in changed.items():
            signal.signal(number, previous)
