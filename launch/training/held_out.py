"""The evaluations of a run: held-out batches made once, measured again and again."""

import functools
from collections.abc import Callable

from jaxtyping import PyTree
from rich.table import Table

from ...tasks.examples.mixture import Mixture
from ..hosts import coordination
from ..hosts.progress import SLOW, did
from ..runs.goodput import Goodput
from ..terminal.log import RunLog
from . import report
from .data import Source
from .evaluate import evaluate_tasks
from .program import Program
from .reader import in_background, wait_for


class HeldOut:
    """Measures the tasks that have held-out text.

    Attributes:
      table: of the last evaluation; None before the first.

    Args:
      source: of the batches, which a thread makes while the first steps run.
      program: of the run.
      mixture: of the tasks.
      most: batches of a task.
      log: shows the results.
      goodput: accounts for the time.
    """

    def __init__(
        self,
        source: Source,
        program: Program,
        mixture: Mixture,
        *,
        most: int,
        log: RunLog,
        goodput: Goodput,
    ):
        self._program, self._mixture = program, mixture
        self._log, self._goodput = log, goodput
        self.table: Table | None = None
        # Faults in held-out text are found before the first step.
        first = in_background(source.held_out, most=min(1, most))
        report.show_lines(report.not_evaluated(first.result()))
        self._batches = in_background(source.held_out, most=most)
        self._eval_step = functools.cache(program.compile_eval_step)

    def evaluate(
        self,
        params: PyTree,
        *,
        step: int,
        check_stop: Callable[[], object],
        while_waiting: Callable[[], object],
    ) -> dict[str, float]:
        """Evaluates every task, and shows the results; all processes meet here.

        Args:
          params: the model's parameters.
          step: steps done.
          check_stop: called before each task; leaves by raising.
          while_waiting: the same, while the batches are still being made.

        Returns:
          The record; empty if no task has held-out text.
        """
        did(f"evaluating after step {step}", times=SLOW)
        coordination.meet(f"evaluation after step {step}")
        with self._goodput.phase("evaluation"):
            batches = wait_for(self._batches, while_waiting=while_waiting)
            if not any(batches.values()):
                return {}  # nor is anything compiled
            measured = evaluate_tasks(
                self._program,
                self._eval_step(),
                params,
                batches,
                before_each=check_stop,
            )
        if not measured:
            return {}
        self.table = report.show_evaluation(
            self._log, measured, self._mixture, step=step
        )
        return report.evaluation_record(measured, self._mixture)
