"""The runs of a study: which are done, which can begin, and how each is done."""

import time
from collections.abc import Callable

import numpy as np

from .arms import Arm, arms
from .measuring import measure
from .resources import StudyResources
from .run import train
from .runs import Run, runs
from .store import Store, has_point
from .study import Study

Progress = Callable[[int], None]


class Jobs:
    """The runs of a study and what is on disk of them.

    Attributes:
      study: of which mixes.
      store: its folder.
      arms: by name.
      runs: by name: every seed of an arm, then the next arm, so that those that are
        done when time is over can be compared.
    """

    def __init__(self, study: Study, store: Store, *, own_share: float):
        self.study, self.store = study, store
        self.arms: dict[str, Arm] = arms(study, own_share=own_share)
        self.runs: dict[str, Run] = {
            run.name: run
            for arm in self.arms.values()
            for seed in study.seeds
            for run in runs(arm, seed, batch_tokens=study.batch_tokens)
        }

    def is_done(self, run: Run) -> bool:
        """Whether a run is trained, and each of its points measured."""
        return self.is_trained(run) and not self.unmeasured(run)

    def is_trained(self, run: Run) -> bool:
        """Whether all checkpoints of a run are there that are still to be read.

        A checkpoint is read to measure it, and by runs that begin with it. Of a run
        whose checkpoints were not kept, a record of another plan is no end of training.
        """
        wanted = {*self.unmeasured(run), *self._begun_with(run)}
        return all(has_point(self.store.run(run), tokens) for tokens in wanted)

    def trained_again(self) -> list[Run]:
        """The runs that were measured, and whose checkpoints are gone and wanted."""
        return [
            run
            for run in self.runs.values()
            if not self.is_trained(run)
            and all(self.store.record(run, n).exists() for n in run.measured)
        ]

    def is_ready(self, run: Run) -> bool:
        """Whether what a run begins with is there."""
        if self.is_trained(run):
            return True
        if run.fork:
            return has_point(self.store.longest(run), run.fork)
        if run.arm.base is None:
            return True
        base = self.arms[run.arm.base]
        return has_point(self.store.of(base.name, run.seed), base.lengths[-1])

    def unmeasured(self, run: Run) -> list[int]:
        """The points of a run that lack a record of what is measured now."""
        plan = self.study.plan_digest()
        return [
            tokens
            for tokens in run.measured
            if self.store.measured(run, tokens, plan=plan) is None
        ]

    def needed(self, run: Run) -> set[int]:
        """The points of a run that others begin with."""
        is_base = run.arm.name in {arm.base for arm in self.arms.values()}
        return {*run.forks, *([run.length] if is_base else [])}

    def _begun_with(self, run: Run) -> set[int]:
        """The points of a run with which others begin that are not trained yet."""
        return {
            other.fork or run.length
            for other in self.runs.values()
            if self._origin(other) == run.name and not self.is_trained(other)
        }

    def _origin(self, run: Run) -> str | None:
        """The name of the run with whose checkpoint a run begins."""
        if run.fork:
            return f"{run.arm.name}-{run.seed}"
        if run.arm.base is None:
            return None
        return f"{run.arm.base}-{run.seed}"


class Doer:
    """Does the runs of a study in one process, which compiles once."""

    def __init__(self, study: Study, store: Store, *, own_share: float):
        self.jobs = Jobs(study, store, own_share=own_share)
        self.resources = StudyResources(study, self.jobs.arms)

    def do(
        self,
        name: str,
        *,
        deadline: float = np.inf,
        progress: Progress = lambda tokens: None,
    ) -> bool:
        """Trains a run, and measures the points that were not measured.

        Args:
          name: of the run.
          deadline: `time.time()` at which to stop; a measurement that has begun ends.
          progress: called with the tokens processed.

        Returns:
          Whether the run is done.
        """
        jobs, store = self.jobs, self.jobs.store
        run = jobs.runs[name]
        if not jobs.is_trained(run) and not train(
            self.resources, store, run, deadline=deadline, progress=progress
        ):
            return False
        for tokens in jobs.unmeasured(run):
            if time.time() >= deadline:
                return False
            measure(self.resources, store, run, tokens)
        if not jobs.study.keep_checkpoints:
            for tokens in set(run.kept) - jobs.needed(run):
                store.drop(run, tokens)
        return True
