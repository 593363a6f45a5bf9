"""All processes of a run stop after the same step.

A process runs ahead of the devices, and of the others. So after a request each says how
far it has been allowed to go, and all stop after the furthest of these steps, which
every process can still reach.
"""

import threading
import time

from . import coordination
from .coordination import MissingProcess

_AGREE_SECONDS = 60.0
"""For all processes to say how far they are."""

_lock = threading.Lock()
_beginnings = 0
_heard = False
_reason = ""
_allowed = 0
_target: int | None = None


def begin(step: int) -> None:
    """Notes that the run goes on from here: the first step after `step` may begin."""
    global _beginnings, _heard, _reason, _allowed, _target
    with _lock:
        _beginnings += 1
        _heard, _reason, _allowed, _target = False, "", step + 1, None


def heard(reason: str) -> None:
    """Called when some process asks to stop; from any thread.

    Args:
      reason: of that process, and its name.
    """
    global _heard, _reason
    with _lock:
        if not _heard:
            _heard, _reason = True, reason
            coordination.allow(_allowed, beginning=_beginnings)


def reason() -> str:
    """Why another process, or this one, asked to stop; "" if none did."""
    return _reason


def stops_after(step: int, *, reason: str) -> bool:
    """Whether the run ends after this step; to be asked once after each.

    It costs nothing while nobody asks to stop.

    Args:
      step: begun by this process.
      reason: for which this process is asked to stop, "SIGTERM"; "" if it is not.

    Raises:
      MissingProcess: a process does not say how far it is.
    """
    global _allowed, _target
    if not coordination.together():
        return bool(reason)
    if reason and not _heard:
        name = coordination.name_of(coordination.process())
        heard(coordination.raise_signal("stop", f"{reason} on {name}"))
    with _lock:
        if not _heard:
            _allowed = step + 1
            return False
    if _target is None:
        _target = _agree()
    return step >= _target


def _agree() -> int:
    """The furthest step that any process has been allowed to begin."""
    deadline = time.monotonic() + _AGREE_SECONDS
    while (
        len(steps := coordination.allowed(beginning=_beginnings))
        < coordination.processes()
    ):
        if time.monotonic() > deadline:
            missing = sorted(set(range(coordination.processes())) - set(steps))
            names = ", ".join(map(coordination.name_of, missing))
            raise MissingProcess(f"asked to stop, {names} did not say how far it is")
        time.sleep(0.05)
    return max(steps.values())
