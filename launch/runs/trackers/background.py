"""A thread that feeds a tracker: neither its faults nor its pace reach the run."""

import logging
import queue
import threading
from collections.abc import Callable, Mapping

from ....objectives.errors import UsageError, first_line
from .tracker import Grid, Tracker

_LOG = logging.getLogger(__name__)

WAITING = 1000
"""Most calls that wait for a tracker; one that is further behind is given up."""

CLOSE_SECONDS = 60.0
"""How long the end of a run waits for what is still to be sent."""


class Background:
    """A tracker fed by a thread. What it raises is logged once; then it gets no more.

    Args:
      name: for messages.
      open_run: opens the tracker; called at once, by the caller's thread.
      is_new: whether it does not know the run yet. Then a failure to open it is one of
        the set-up and is raised; where a run resumes it is logged.

    Raises:
      UsageError: a tracker cannot be opened for a new run.
    """

    def __init__(self, name: str, open_run: Callable[[], Tracker], *, is_new: bool):
        self._name = name
        self._failed = threading.Event()
        self._calls: queue.Queue[Callable[[Tracker], None] | None]
        self._calls = queue.Queue(WAITING)
        self.run_id = ""
        try:
            tracker = open_run()
        except Exception as error:
            if is_new:
                raise UsageError(
                    f"train.trackers: {name!r} cannot be opened: {_reason(error)}; "
                    "mend that, or take it out of train.trackers."
                ) from error
            self._give_up(_reason(error))
            return
        self.run_id, self._last_step = tracker.run_id, tracker.last_step
        # A daemon: a service that never answers must not keep the process alive.
        self._thread = threading.Thread(
            target=self._feed, args=[tracker], name=f"tracker-{name}", daemon=True
        )
        self._thread.start()

    def last_step(self, name: str) -> int:
        return -1 if self._failed.is_set() else self._last_step(name)

    def config(self, text: str) -> None:
        self._put(lambda tracker: tracker.config(text))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        self._put(lambda tracker: tracker.scalars(step, values))

    def table(self, step: int, name: str, grid: Grid) -> None:
        self._put(lambda tracker: tracker.table(step, name, grid))

    def picture(self, step: int, name: str, png: bytes) -> None:
        self._put(lambda tracker: tracker.picture(step, name, png))

    def close(self, *, failed: bool) -> None:
        """Sends what waits, for `CLOSE_SECONDS` at most, and ends the thread."""
        self._put(lambda tracker: tracker.close(failed=failed))
        self._put(None)
        if self._failed.is_set():
            return
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():
            self._give_up(f"it has not taken everything within {CLOSE_SECONDS:g} s")

    def _put(self, call: Callable[[Tracker], None] | None) -> None:
        if self._failed.is_set():
            return
        try:
            self._calls.put_nowait(call)
        except queue.Full:
            self._give_up(f"it is {WAITING:,} records behind")

    def _feed(self, tracker: Tracker) -> None:
        while (call := self._calls.get()) is not None:
            try:
                call(tracker)
            except Exception as error:  # of a library and a service that are not ours
                self._give_up(_reason(error))
                return

    def _give_up(self, reason: str) -> None:
        if not self._failed.is_set():
            self._failed.set()
            _LOG.warning(
                "the tracker %s gets nothing more from this run: %s. Training goes on, "
                "and metrics.jsonl has every record.",
                *(self._name, reason),
            )


def _reason(error: BaseException) -> str:
    """The class and the first line of a message, to stand before a colon or a stop."""
    return first_line(error).rstrip(": .")
