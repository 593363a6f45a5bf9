"""The account of the steps: their metrics, read one step late, shown and recorded."""

import logging
import time
from collections import deque
from collections.abc import Callable

import jax
import numpy as np
import optax
from jaxtyping import Array

from ...models.loss import Normalisation
from ...tasks.shares.counts import Counts, loss_shares_of
from ..hosts.sums import over_processes
from ..runs.directory import RunDirectory
from ..runs.goodput import Goodput
from ..runs.metrics import MetricsWriter, NoMetrics, Value
from ..runs.trace import StepTrace
from .interval import Interval, extend, fresh, record, together
from .progress import RunProgress
from .step import StepMetrics, step_of, stop_if_not_finite

_LOG = logging.getLogger(__name__)


class Ledger:
    """Keeps the account of a run's steps.

    Attributes:
      interval: sums since the last record.
      skipped_in_a_row: updates skipped up to the last step that was read.
    """

    def __init__(
        self,
        interval: Interval,
        *,
        directory: RunDirectory,
        writer: MetricsWriter | NoMetrics,
        trace: StepTrace,
        progress: RunProgress,
        goodput: Goodput,
        shares_of: Callable[[int], np.ndarray],
        normalisation: Normalisation,
        learning_rate: optax.Schedule,
        most_skips: int,
        counted: float,
    ):
        """Begins with the sums of a checkpoint, or none.

        Args:
          interval: the sums.
          directory: checked before every record.
          writer: gets the records.
          trace: gets every step.
          progress: is told of every step.
          goodput: says how long the run waited for data.
          shares_of: loss shares by update, counted from 0.
          normalisation: of the loss.
          learning_rate: by update.
          most_skips: updates skipped in a row at which the run stops.
          counted: share of the rows of a batch that this host counts; the first host,
            which shows the progress, counts some.
        """
        self.interval = interval
        self.skipped_in_a_row = 0
        self._directory = directory
        self._writer = writer
        self._trace = trace
        self._progress = progress
        self._goodput = goodput
        self._shares_of = shares_of
        self._normalisation: Normalisation = normalisation
        self._learning_rate = learning_rate
        self._most_skips = most_skips
        self._counted = counted
        self._pending: deque[tuple[int, range, Counts, StepMetrics]] = deque()
        self.restart_clock()

    def add(self, step: int, rows: range, counts: Counts, metrics: StepMetrics) -> None:
        """Takes in a step, whose metrics may still be computed.

        Args:
          step: its number, from 1.
          rows: that it read, by their numbers in the run.
          counts: of the rows that this host counts.
          metrics: of the step.
        """
        self._pending.append((step, rows, counts, metrics))
        self._goodput.at_step(step)

    def settle(self, left: int = 0) -> None:
        """Reads the metrics of the steps so far, but for the last `left`.

        Raises:
          NotFiniteError: too many updates in a row were skipped.
        """
        while len(self._pending) > left:
            step, rows, counts, metrics = self._pending.popleft()
            metrics = jax.device_get(metrics)
            self._trace.write(step, step_of(metrics))
            self.interval = extend(self.interval, counts, metrics)
            self.skipped_in_a_row = int(metrics.skipped_in_a_row)
            processed = int(counts.processed.sum())
            self._tokens += processed
            whole = round(processed / self._counted) if self._counted else 0
            self._progress.add(step, tokens=whole, loss=float(metrics.loss))
            if self.skipped_in_a_row:
                _LOG.warning(
                    "the update of step %d was skipped (%s): loss %s, gradient norm "
                    "%s, rows %s to %s",
                    *(step, step_of(metrics).skipped, metrics.loss, metrics.grad_norm),
                    *(f"{rows[0]:,}", f"{rows[-1]:,}"),
                )
            stop_if_not_finite(metrics, step=step, most=self._most_skips)

    def flush(self) -> Interval:
        """Settles all steps, and writes them out; all hosts meet here.

        Returns:
          The sums since the last record, with the counts of all hosts.
        """
        self.settle()
        self._trace.flush()
        self.interval = together(self.interval)
        return self.interval

    def write_record(self, step: int, *, skipped: Array) -> None:
        """Writes the metrics of the interval, and begins another.

        Args:
          step: steps done.
          skipped: updates skipped so far.

        Raises:
          StorageError: it cannot be written.
        """
        self._directory.check()
        interval = self.flush()
        tokens = int(over_processes(np.array([self._tokens]))[0])
        seconds = time.perf_counter() - self._began
        waited = self._goodput.seconds("data") - self._waited
        shares = loss_shares_of(
            interval.counts,
            self._shares_of(step - 1),
            normalisation=self._normalisation,
        )
        rate = self._learning_rate(step - int(skipped) - 1)
        values: dict[str, Value] = {
            **record(interval, shares),
            "learning_rate": float(np.asarray(rate)),
        }
        if tokens:  # none where a start makes up for a record of the one before
            values["tokens_per_second"] = tokens / seconds
            values["data_wait"] = waited / seconds
        self._writer.write(step, values)
        self.interval = fresh()

    def restart_clock(self) -> None:
        """Leaves what has passed out of the speed: a save, an evaluation."""
        self._tokens, self._began = 0, time.perf_counter()
        self._waited = self._goodput.seconds("data")
