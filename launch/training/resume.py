"""What a checkpoint holds beside the state, and how a run goes on from it."""

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..runs.checkpoints import Checkpoints
from ..runs.directory import RunDirectory
from ..runs.run_identity import RunIdentity, check_same_run, to_json
from ..terminal.log import RunLog
from .batch_identity import check_same_batch
from .data import Position
from .interval import Interval, fresh, from_json, to_json as interval_to_json
from .program import Program
from .state import TrainState

_LOG = logging.getLogger(__name__)


class RunConfig(NamedTuple):
    """What the command line gives a run beside the values that gin binds.

    Attributes:
      text: resolved gin config, saved with the run and compared on resume.
      allow: names of bindings that a resumed run may change.
      log: what the run says goes there.
    """

    text: str
    allow: Sequence[str]
    log: RunLog


class StartingPoint(NamedTuple):
    """Where a run begins or goes on.

    Attributes:
      step: steps done.
      state: after them.
      interval: sums since the last record of metrics.
      position: of the last batch; None before the first.
      last_batch: identity of that batch.
    """

    step: int
    state: TrainState
    interval: Interval
    position: Position | None
    last_batch: str | None


def starting_point(
    checkpoints: Checkpoints,
    program: Program,
    directory: RunDirectory,
    *,
    run: RunIdentity,
    allow: Sequence[str],
) -> StartingPoint:
    """The newest checkpoint that is whole, or the first step.

    The run of the checkpoint is compared with the present one before anything is
    changed. The present config is then saved in the directory, and what it changes.

    Args:
      checkpoints: of the run.
      program: gives the state's shapes, or the initial one.
      directory: of the run.
      run: the present one.
      allow: names of bindings that may differ.

    Raises:
      UsageError: the checkpoint is of another run.
      CheckpointError: there are checkpoints, and none of them is whole.
    """
    restored = checkpoints.restore(
        program.abstract_state,
        accept=lambda data: check_same_run(data.get("run"), run, allow=allow),
    )
    if restored is None:
        directory.write_config(run, step=0, changes=())
        return StartingPoint(0, program.initial_state(), fresh(), None, None)
    step, state, data = restored
    _LOG.info("Resuming %s after step %s.", directory.path, f"{step:,}")
    changes = check_same_run(data["run"], run, allow=allow)
    directory.write_config(run, step=step, changes=changes)
    for change in changes:
        _LOG.warning("changed from here on: %s", change)
    interval = from_json(data["interval"])
    return StartingPoint(step, state, interval, data["position"], data["last_batch"])


def checkpoint_data(
    run: RunIdentity, interval: Interval, last_batch: str, *, position: Position | None
) -> dict[str, Any]:
    """What a checkpoint holds beside the state.

    Args:
      run: the present one.
      interval: sums since the last record of metrics.
      last_batch: the identity of the last batch.
      position: before it.
    """
    return {
        "run": to_json(run),
        "interval": interval_to_json(interval),
        "last_batch": last_batch,
        "position": position,
    }


def check_continues(
    last_batch: str, start: StartingPoint, allow: Sequence[str]
) -> None:
    """Refuses other data than the run has read so far, unless its config may change.

    Args:
      last_batch: identity of the last one before the checkpoint, read again.
      start: the checkpoint.
      allow: names of bindings that may differ.

    Raises:
      UsageError: the batch differs.
    """
    assert start.last_batch is not None
    if allow and last_batch != start.last_batch:
        _LOG.warning("the data is other than up to step %d, as allowed", start.step)
    else:
        check_same_batch(last_batch, start.last_batch)
