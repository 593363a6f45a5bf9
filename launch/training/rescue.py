"""Saves the state at hand when something ends a run."""

import logging
from collections.abc import Callable

import jax

from ..runs.verified import first_line
from .state import TrainState

_LOG = logging.getLogger(__name__)


def save_after(
    error: BaseException,
    save: Callable[[], object],
    commit: Callable[[], object],
    *,
    state: TrainState,
    step: int,
) -> None:
    """Saves after an error, if the state is whole; never raises one of its own.

    Args:
      error: that ends the run; it is logged, and the caller raises it.
      save: begins to save the state.
      commit: waits until it is saved.
      state: at hand.
      step: steps done, as far as the caller knows.
    """
    reason = first_line(error)
    _LOG.error("step %d was the last: %s", step, reason, extra={"reason": reason})
    try:
        if not _is_whole(state, step):
            _LOG.error("not saved: the state was given away to the step that failed")
            return
        save()
        commit()
    except Exception as second:  # whatever it is, the first error is the one to raise
        _LOG.error("the state of step %d is not saved: %s", step, first_line(second))


def _is_whole(state: TrainState, step: int) -> bool:
    """Whether no array was donated, and the state is that of the step.

    Reading it raises the error of the computation that was to make it, if there was
    one.
    """
    donated = any(array.is_deleted() for array in jax.tree.leaves(state))
    return not donated and int(jax.block_until_ready(state).step) == step
