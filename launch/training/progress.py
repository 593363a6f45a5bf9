"""How far a run is: a bar on a terminal, elsewhere a line every so many seconds."""

import logging
import time
from collections.abc import Callable

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from ..terminal.log import RunLog

_LOG = logging.getLogger(__name__)


class RunProgress:
    """Shows steps, loss and tokens per second. Use `with`."""

    def __init__(
        self,
        log: RunLog,
        *,
        start: int,
        steps: int,
        every: float,
        waited: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ):
        """Begins now.

        Args:
          log: gets the lines, and every other line of the run its step from here.
          start: steps done already.
          steps: in all.
          every: seconds between lines.
          waited: seconds that the run has waited for data so far.
          clock: seconds from any moment.
        """
        self._log = log
        self._steps = steps
        self._every = every
        self._waited = waited
        self._clock = clock
        self._began = self._shown = self._stepped = clock()
        self._tokens, self._waited_before = 0, waited()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]:.3f}"),
            TextColumn("{task.fields[speed]:,.0f} tokens/s"),
            TimeRemainingColumn(),
            console=log.console,
            disable=not log.on_terminal,
        )
        self._task = self._bar.add_task(
            "train", total=steps, completed=start, loss=0, speed=0
        )
        log.step = start

    def add(self, step: int, *, tokens: int, loss: float) -> None:
        """Tells of one more step, whose loss is known.

        Args:
          step: its number, from 1.
          tokens: processed in it, over all hosts.
          loss: of it.
        """
        self._log.step = step
        self._tokens += tokens
        now = self._stepped = self._clock()
        seconds = max(now - self._began, 1e-9)
        speed = self._tokens / seconds
        self._bar.update(self._task, completed=step, loss=loss, speed=speed)
        if now - self._shown < self._every:
            return
        waited = self._waited()
        share = (waited - self._waited_before) / seconds  # of two clocks
        if not self._log.on_terminal:
            _LOG.info(
                "step %s of %s, loss %.4f, %s tokens/s",
                *(f"{step:,}", f"{self._steps:,}", loss, f"{speed:,.0f}"),
                extra={
                    "loss": loss,
                    "tokens_per_second": round(speed, 1),
                    "data_wait": round(min(1.0, share), 4),
                },
            )
        self._began = self._shown = now
        self._tokens, self._waited_before = 0, waited

    def waiting(self) -> None:
        """Tells that the run waits for data, if that takes as long as a line."""
        now = self._clock()
        if now - self._shown >= self._every:
            _LOG.warning("waiting for data; no step for %.0f s", now - self._stepped)
            self._shown = now

    def __enter__(self) -> "RunProgress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
