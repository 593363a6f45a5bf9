"""A thread that feeds a tracker: neither its faults nor its pace reach the run."""

import logging
import queue
import threading
from collections.abc import Callable, Mapping

from ....objectives.errors import UsageError, first_line
from .tracker import Grid, Service

_LOG = logging.getLogger(__name__)

WAITING = 1000
"""Most calls that wait for a tracker; one that is further behind is given up."""

CLOSE_SECONDS = 60.0
"""How long the end of a run waits for what is still to be sent."""


class Background:
    """A service fed by a thread. What it raises is logged once; then it gets no more.

    It gets nothing again that it holds already: the thread asks it.

    Args:
      name: for messages.
      open_run: opens the tracker; called at once, by the caller's thread.
      is_new: whether it does not know the run yet. Then a failure to open it is one of
        the set-up and is raised; where a run resumes it is logged.

    Raises:
      UsageError: a tracker cannot be opened for a new run.
    """

    def __init__(self, name: str, open_run: Callable[[], Service], *, is_new: bool):
        self._name = name
        self._failed = threading.Event()
        self._calls: queue.Queue[Callable[[Service], None] | None]
        self._calls = queue.Queue(WAITING)
        self.run_id = ""
        try:
            service = open_run()
        except Exception as error:
            if is_new:
                raise UsageError(
                    f"train.trackers: {name!r} cannot be opened: {_reason(error)}; "
                    "mend that, or take it out of train.trackers."
                ) from error
            self._give_up(_reason(error))
            return
        self.run_id = service.run_id
        # A daemon: a service that never answers must not keep the process alive.
        self._thread = threading.Thread(
            target=self._feed, args=[service], name=f"tracker-{name}", daemon=True
        )
        self._thread.start()

    def config(self, text: str) -> None:
        self._put(lambda service: service.config(text))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        def send(service: Service) -> None:
            new = {n: v for n, v in values.items() if step > service.last_step(n)}
            if new:
                service.scalars(step, new)

        self._put(send)

    def table(self, step: int, name: str, grid: Grid) -> None:
        def send(service: Service) -> None:
            if step > service.last_step(name):
                service.table(step, name, grid)

        self._put(send)

    def picture(self, step: int, name: str, png: bytes) -> None:
        self._put(lambda service: service.picture(step, name, png))

    def close(self, *, failed: bool) -> None:
        """Sends what waits, for `CLOSE_SECONDS` at most, and ends the thread."""
        self._put(lambda service: service.close(failed=failed))
        self._put(None)
        if self._failed.is_set():
            return
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():
            self._give_up(f"it has not taken everything within {CLOSE_SECONDS:g} s")

    def _put(self, call: Callable[[Service], None] | None) -> None:
        if self._failed.is_set():
            return
        try:
            self._calls.put_nowait(call)
        except queue.Full:
            self._give_up(f"it is {WAITING:,} records behind")

    def _feed(self, service: Service) -> None:
        while (call := self._calls.get()) is not None:
            try:
                call(service)
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
