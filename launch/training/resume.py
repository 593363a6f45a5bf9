"""What a checkpoint holds beside the state, and how a run goes on from it."""

import logging
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from ..hosts import coordination
from ..runs.checkpoints import Checkpoints
from ..runs.directory import RunDirectory
from ..runs.metrics import has_record
from ..runs.run_identity import (
    RunIdentity,
    bindings_of,
    check_allowed,
    check_same_run,
    is_of_data,
    saved_origin,
    to_json,
)
from ..terminal.log import RunLog
from .batch_identity import check_same_batch
from .data import DataPlace
from .interval import Interval, fresh, from_json, to_json as interval_to_json
from .origin import Beginning
from .program import Program
from .rollback import drop_decisions_after, newest_to
from .state import TrainState

_LOG = logging.getLogger(__name__)


class RunConfig(NamedTuple):
    """What the command line gives a run beside the values that gin binds.

    Attributes:
      text: resolved gin config, saved with the run and compared on resume.
      allow: names of bindings that a resumed run may change.
      log: what the run says goes there.
      profile: steps to capture with jax's profiler; None for none.
      defaults: names in `text` whose values are defaults.
    """

    text: str
    allow: Sequence[str]
    log: RunLog
    profile: range | None = None
    defaults: Collection[str] = ()


class StartingPoint(NamedTuple):
    """Where a run begins or goes on.

    Attributes:
      step: steps done.
      state: after them.
      interval: sums since the last record of metrics.
      place: in the data; None before the first batch.
      run: the present one, with its origin.
      other_data: whether a setting of the data was changed, as allowed by name.
    """

    step: int
    state: TrainState
    interval: Interval
    place: DataPlace | None
    run: RunIdentity
    other_data: bool = False


def starting_point(
    checkpoints: Checkpoints,
    program: Program,
    directory: RunDirectory,
    *,
    run: RunIdentity,
    allow: Sequence[str],
    beginning: Beginning | None,
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
      beginning: the first state if it is another run's; None for the program's.

    Raises:
      UsageError: the checkpoint is of another run.
      CheckpointError: there are checkpoints, and none of them is whole.
    """
    restored = checkpoints.restore(
        program.abstract_state,
        accept=lambda data: check_same_run(data.get("run"), run, allow=allow),
    )
    if restored is None:
        check_allowed(allow, bindings_of(run.config))
        state, origin = beginning or (program.initial_state(), None)
        run = run._replace(origin=origin)
        directory.write_config(run, step=0, changes=())
        start = StartingPoint(0, state, fresh(), None, run)
        return _after_rollback(start, directory)
    step, state, data = restored
    _LOG.info("Resuming %s after step %s.", directory.path, f"{step:,}")
    changes = check_same_run(data["run"], run, allow=allow)
    run = run._replace(origin=saved_origin(data["run"]))
    directory.write_config(run, step=step, changes=changes)
    for change in changes:
        _LOG.warning("changed from here on: %s", change)
    interval = from_json(data["interval"])
    place = DataPlace(**data["place"])
    other_data = any(is_of_data(change.name) for change in changes)
    start = StartingPoint(step, state, interval, place, run, other_data)
    return _after_rollback(start, directory)


def _after_rollback(start: StartingPoint, directory: RunDirectory) -> StartingPoint:
    """The same state, and the data after the rows for which the run went back to it."""
    if coordination.process() == 0:
        drop_decisions_after(directory.path, start.step)
    decision = newest_to(directory.path, start.step)
    return start if decision is None else start._replace(place=decision.place)


def evaluation_owed(run_dir: str, start: StartingPoint, *, due: bool) -> bool:
    """Whether the last step is to be evaluated now; the hosts agree here.

    A checkpoint is saved before its step is evaluated, so the evaluation is missing
    where a run was killed between the two.

    Args:
      run_dir: the run's folder.
      start: where it goes on.
      due: whether an evaluation is due after that step.
    """
    done = has_record(run_dir, step=start.step, prefix="eval/")
    owed = start.step > 0 and due and not done
    return coordination.from_first("resume", owed)


def checkpoint_data(
    run: RunIdentity, interval: Interval, place: DataPlace
) -> dict[str, Any]:
    """What a checkpoint holds beside the state.

    Args:
      run: the present one.
      interval: sums since the last record, of all hosts.
      place: in the data.
    """
    return {
        "run": to_json(run),
        "interval": interval_to_json(interval),
        "place": place._asdict(),
    }


def check_continues(last_batch: str, start: StartingPoint) -> None:
    """Refuses other data than the run has read so far, unless its settings changed.

    Args:
      last_batch: identity of the last one before the checkpoint, read again.
      start: the checkpoint.

    Raises:
      UsageError: the batch differs.
    """
    assert start.place is not None
    if start.other_data and last_batch != start.place.last_batch:
        _LOG.warning("the data is other than up to step %d, as allowed", start.step)
    else:
        check_same_batch(last_batch, start.place.last_batch)
