"""Going back to the newest checkpoint, and on with the rows after those that failed.

The cure of PaLM (arXiv 2204.02311, section 5.1): the state from before, other data.
What was decided stands in `run_dir/rollbacks.jsonl`, so that a run that is killed right
after goes on the same way.
"""

import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec

from ..hosts import coordination
from ..runs.directory import alone_in, storage_errors
from ..runs.json_lines import append_lines, keep_lines, read_lines
from .data import DataPlace

_LOG = logging.getLogger(__name__)

FILE = "rollbacks.jsonl"

P = ParamSpec("P")


class Rollback(NamedTuple):
    """One decision.

    Attributes:
      at: step at which the run could not go on.
      to: step of the checkpoint from which it goes on; 0 is initialisation.
      place: in the data; the next batch is the first after `to`.
    """

    at: int
    to: int
    place: DataPlace


class RolledBack(Exception):
    """The run is to begin again, from the checkpoint."""


def rollbacks(run_dir: Path) -> list[Rollback]:
    """The decisions of a run so far, in order."""
    return read_lines(run_dir / FILE, _decision)


def _decision(line: Any) -> Rollback:
    at, to, (batches, positions, last_batch) = line
    place = DataPlace(int(batches), list(positions), str(last_batch))
    return Rollback(int(at), int(to), place)


def roll_back(run_dir: Path, decision: Rollback, *, rows: int) -> RolledBack:
    """Writes the decision down, and returns the exception that carries it out.

    Args:
      run_dir: the run's folder.
      decision: the newest.
      rows: B, to name the rows that are passed over.
    """
    if coordination.process() == 0:
        with storage_errors("the decision to go back", run_dir):
            append_lines(run_dir / FILE, [decision])
    coordination.meet(f"going back from step {decision.at}")
    passed = decision.at - decision.to
    first = (decision.place.batches - passed) * rows
    _LOG.warning(
        "going back from step %s to step %s; rows %s to %s are passed over.",
        *(f"{decision.at:,}", f"{decision.to:,}"),
        *(f"{first:,}", f"{decision.place.batches * rows - 1:,}"),
    )
    return RolledBack()


def newest_to(run_dir: Path, step: int) -> Rollback | None:
    """The newest decision to go on from the checkpoint of a step."""
    found = [decision for decision in rollbacks(run_dir) if decision.to == step]
    return found[-1] if found else None


def drop_decisions_after(run_dir: Path, step: int) -> None:
    """Drops the decisions to go back to later checkpoints than a run resumes from.

    Those checkpoints are gone, and the run is to save others of the same steps.

    Raises:
      StorageError: the file cannot be written.
    """
    with storage_errors("the decisions to go back", run_dir):
        keep_lines(run_dir / FILE, _decision, where=lambda one: one.to <= step)


def begun_again(train: Callable[P, int]) -> Callable[P, int]:
    """Makes a function that begins a run, and begins it again whenever it goes back.

    It takes the `run_dir` by name, in which no other thread may train.
    """

    @functools.wraps(train)
    def run(*arguments: P.args, **settings: P.kwargs) -> int:
        with alone_in(str(settings["run_dir"])):
            while True:
                try:
                    return train(*arguments, **settings)
                except RolledBack:
                    continue

    return run
