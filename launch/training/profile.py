"""A window of steps under jax's profiler: `--profile=10:15`."""

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

from ...objectives.errors import UsageError
from ..hosts import coordination

_LOG = logging.getLogger(__name__)

FOLDER = "profile"
"""In the run's directory, where xprof and TensorBoard look for it."""


def profile_window(text: str, *, steps: int) -> range:
    """The steps that `--profile=FIRST:LAST` names, both included.

    Args:
      text: what the user gave.
      steps: of the run in all.

    Raises:
      UsageError: it names none, or some after the end of the run.
    """
    match = re.fullmatch(r"(\d+):(\d+)", text, re.ASCII)
    first, last = map(int, match.groups()) if match else (0, 0)
    if not 1 <= first <= last:
        raise UsageError(
            f"--profile={text}: write FIRST:LAST, two steps counted from 1, as in "
            "10:15. A few are enough: each makes a large file larger."
        )
    if last > steps:
        raise UsageError(
            f"--profile={text} ends after the run, whose train.steps is {steps}; give "
            "earlier steps."
        )
    return range(first, last + 1)


class ProfiledStep:
    """A train step that captures a window of its calls. Close it.

    The first process captures, and the others run as ever. Calls are waited for at
    both ends of the window only, so that those within overlap as they do in any run.
    """

    def __init__(
        self,
        train_step: Callable[..., Any],
        window: range | None,
        *,
        run_dir: str,
        done: int,
    ):
        """Captures nothing yet.

        Args:
          train_step: does a step, and returns arrays.
          window: numbers of the steps to capture; None for none.
          run_dir: the run's folder.
          done: steps done before the first call.
        """
        if window is not None and window[0] <= done:
            _LOG.info(
                "no profile: step %d is done, and the window begins at step %d.",
                *(done, window[0]),
            )
            window = None
        self._train_step = train_step
        self._window = window if coordination.process() == 0 else None
        self._folder = Path(run_dir) / FOLDER
        self._step = done
        self._capturing = False

    def __call__(self, *arguments: Any) -> Any:
        """Does a step."""
        self._step += 1
        if self._window is None or self._step not in self._window:
            return self._train_step(*arguments)
        if self._step == self._window[0]:
            jax.block_until_ready(arguments)
            jax.profiler.start_trace(self._folder)
            self._capturing = True
        with jax.profiler.StepTraceAnnotation("train", step_num=self._step):
            results = self._train_step(*arguments)
        if self._step == self._window[-1]:
            jax.block_until_ready(results)
            self.close()
        return results

    def close(self) -> None:
        """Writes what is captured, if anything is; also where the run stops early."""
        if self._capturing:
            self._capturing = False
            jax.profiler.stop_trace()
            _LOG.info(
                "profile of steps up to %d is in %s; open it with: xprof --logdir=%s",
                *(self._step, self._folder, self._folder),
            )
