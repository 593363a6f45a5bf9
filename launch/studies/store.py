"""Where a study keeps its checkpoints and its measurements.

runs/NAME-SEED/checkpoints     the newest state of a run under way
runs/NAME-SEED/points/TOKENS   what is kept of it at that many tokens; .unfinished: not
                               yet read back
records/NAME-SEED-TOKENS.json  what was measured there
"""

import dataclasses
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from jaxtyping import PyTree

from ...diagnosis.results import records
from ...diagnosis.results.records import Record
from ...objectives.errors import UsageError
from ..runs.checkpoints import Checkpoints
from ..runs.verified import CheckpointError, checkpoint_steps, restore_latest
from .runs import Run


class Saved(NamedTuple):
    """A run at some step.

    Attributes:
      step: updates, the skipped ones included.
      state: the whole state of training.
      tokens: processed so far.
      position: in its rows; None before the first.
    """

    step: int
    state: PyTree
    tokens: int
    position: dict[str, Any] | None


@dataclasses.dataclass(frozen=True)
class Store:
    """The folder of a study.

    Attributes:
      folder: its path.
    """

    folder: Path

    def run(self, run: Run) -> Path:
        """The folder of a run."""
        return self.folder / "runs" / run.name

    def longest(self, run: Run) -> Path:
        """The folder of the longest run of the same arm and seed."""
        return self.of(run.arm.name, run.seed)

    def of(self, arm: str, seed: int) -> Path:
        """The folder of the longest run of an arm."""
        return self.folder / "runs" / f"{arm}-{seed}"

    def record(self, run: Run, tokens: int) -> Path:
        """The file of a measurement."""
        name = f"{run.arm.name}-{run.seed}-{tokens}.json"
        return self.folder / "records" / name

    def measured(self, run: Run, tokens: int, *, plan: str) -> Record | None:
        """A measurement; None if there is none of this plan (`Study.plan_digest`)."""
        path = self.record(run, tokens)
        if not path.exists():
            return None
        (record,) = records.read(path)
        return record if record.plan == plan else None

    def finish(self, run: Run) -> None:
        """Deletes the newest state of a run that has come to its end."""
        shutil.rmtree(self.run(run) / "checkpoints", ignore_errors=True)

    def drop(self, run: Run, tokens: int) -> None:
        """Deletes the checkpoint of a point."""
        shutil.rmtree(_point(self.run(run), tokens), ignore_errors=True)


def has_point(run_dir: Path, tokens: int) -> bool:
    """Whether a run's folder has a checkpoint of a point."""
    return bool(checkpoint_steps(_point(run_dir, tokens) / "checkpoints"))


def keep_point(run_dir: Path, point: int, state: PyTree, saved: Saved) -> None:
    """Writes the checkpoint of a point, and returns when it was read back from disk.

    Only then it takes the name by which `has_point` finds it: the run may have no other
    state by the time that it is read.

    Args:
      run_dir: the run's folder.
      point: tokens that were to be reached.
      state: what of the state is kept; its place in the tree is that in the whole.
      saved: where the run is.

    Raises:
      CheckpointError: it could not be written, or not be read back.
    """
    folder = _point(run_dir, point)
    unfinished = folder.with_name(f"{point}.unfinished")
    for left in (folder, unfinished):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    with Checkpoints(unfinished, keep=1, period=1) as checkpoints:
        checkpoints.save(saved.step, state, data_of(saved))
    unfinished.rename(folder)


def read_point(
    run_dir: Path, point: int, abstract: PyTree, *, prefix: str = ""
) -> Saved:
    """Reads the checkpoint of a point.

    Args:
      run_dir: the run's folder.
      point: tokens that were to be reached.
      abstract: the wanted part of the state, with shardings.
      prefix: of the names of that part.

    Raises:
      UsageError: there is none, or it is damaged.
    """
    cure = f"delete {run_dir} and rerun the same command to train that run again."
    try:
        restored = restore_latest(_point(run_dir, point), abstract, prefix=prefix)
    except CheckpointError as error:
        raise CheckpointError(f"{error} Restore it from a copy, or {cure}") from error
    if restored is None:
        raise UsageError(f"{_point(run_dir, point)} has no checkpoint; {cure}")
    return saved_of(*restored)


def data_of(saved: Saved) -> dict[str, Any]:
    """What a checkpoint holds beside the arrays."""
    return {"tokens": saved.tokens, "position": saved.position}


def saved_of(step: int, state: PyTree, data: dict[str, Any]) -> Saved:
    """The reverse of `data_of`, with the arrays."""
    return Saved(step, state, data["tokens"], data["position"])


def _point(run_dir: Path, tokens: int) -> Path:
    return run_dir / "points" / str(tokens)
