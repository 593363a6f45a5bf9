"""Ends a run that makes no progress, and shows where it stands."""

import math
import sys
import threading
import time
from pathlib import Path

from . import coordination, progress, stacks
from .leaving import STALLED, leave
from .watch import fail

_LOOKS = 20
"""At the clock, in the time without progress that is allowed."""


class Watchdog:
    """A context in which no step, save or evaluation may take longer than a limit.

    It begins to count with the first call of `progress.did`: what comes before, such as
    preparing a corpus, may take as long as it needs.

    The heartbeat of a process shows that it lives, not that it gets on. After
    `progress.stall_seconds` without a call of `progress.did`, the stacks of all threads
    go to stderr and to `run_dir/stacks-<process>.txt`, and the process leaves with
    status 76; so do the others.
    """

    def __init__(self, run_dir: Path) -> None:
        """Watches once entered.

        Args:
          run_dir: the run's folder.
        """
        self._file = run_dir / f"stacks-{coordination.process()}.txt"
        self._ended = threading.Event()
        self._thread = threading.Thread(
            target=self._look, name="sightline-watchdog", daemon=True
        )

    def __enter__(self) -> "Watchdog":
        progress.did("starting", times=math.inf)
        stacks.write_to(self._file)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        if not coordination.together():
            stacks.end_never()

    def _look(self) -> None:
        while not self._ended.wait(progress.stall_seconds() / _LOOKS):
            last = progress.latest()
            limit = progress.stall_seconds() * last.times
            if time.monotonic() - last.began > limit:
                _bark(last)
            # Should a library hold the interpreter's lock, this thread is stuck, too.
            # Where there are several processes, `watch` sees to that.
            if limit < math.inf and not coordination.together():
                stacks.end_later(2 * limit)


def _bark(last: progress.Progress) -> None:
    text = f"no progress for {time.monotonic() - last.began:.0f} s, {last.what}"
    if not coordination.together():
        print(f"sightline: {text}; stacks follow.", file=sys.stderr)
        stacks.dump()
        leave(STALLED)
    states = sorted(coordination.states(), key=lambda state: -state.seconds)
    told = "; ".join(f"{coordination.name_of(s.process)}: {s}" for s in states)
    fail(f"{text}. The longest first: {told}.", status=STALLED)
