"""What the runs of a study share: programs, rows, and the items of the probes."""

import dataclasses
import functools

from flax import nnx
from jaxtyping import PyTree

from ...diagnosis.probes.asking.subject import Subject, subject
from ...diagnosis.probes.battery import NotApplicable, Probe
from ...diagnosis.probes.published.published import PublishedData, read_published
from ...diagnosis.traits.objective_traits import Traits, mode_tokens, trained_modes
from ...diagnosis.traits.traits import mixture_traits
from ...models.rows import Batch
from ...tasks.tokens.vocabulary import vocabulary
from ..training.program import EvalStep, Program
from .arms import Arm
from .one_step import Step, compile_step
from .prepared_probes import named_probes, prepared_probes
from .rows_of_arms import RowsOfArms
from .study import Study


class StudyResources:
    """Made once in each process; everything is made when it is first asked for.

    Attributes:
      study: of which mixes.
      arms: by name.
      rows: of every arm.
      program: of every run but for its seed. Schedules are not in it.
    """

    def __init__(self, study: Study, arms: dict[str, Arm]):
        self.study = study
        self.arms = arms
        self.rows = RowsOfArms(study)
        self.program = study.program(steps=study.tokens)
        self.held_out = functools.cache(self._held_out)
        self.of_training = functools.cache(self._of_training)
        self.traits = functools.cache(self._traits)

    def program_of(self, seed: int) -> Program:
        """The program whose parameters begin with a seed."""
        return dataclasses.replace(self.program, seed=seed)

    @functools.cached_property
    def step(self) -> Step:
        """The train step of every run."""
        return compile_step(self.program, self.study.optimizer)

    @functools.cached_property
    def eval_step(self) -> EvalStep:
        """The evaluation step of every run."""
        return self.program.compile_eval_step()

    def _held_out(self, arm: str) -> dict[str, list[Batch]]:
        """Validation batches of each of an arm's tasks."""
        return self.rows.held_out(self.arms[arm].mixture)

    def _of_training(self, arm: str) -> list[Batch]:
        """Training batches of an arm, to measure."""
        return self.rows.of_training(self.arms[arm].mixture)

    def _traits(self, arm: str) -> list[Traits]:
        """What an arm's Examples ask for, and in which forms, in each phase."""
        phases = self.arms[arm].mixture.phases().values()
        each = [mixture_traits(phase, self.study.rows) for phase in phases]
        return [traits.overall["examples"] for traits in each]

    def subject(self, arm: str, params: PyTree) -> Subject:
        """A model of the study as probes see it.

        A branch knows the modes of its base as well.
        """
        base = self.arms[arm].base
        names = ([base] if base else []) + [arm]
        phases = [traits for name in names for traits in self.traits(name)]
        return subject(
            nnx.merge(self._graph, params),
            self.study.rows,
            vocabulary(self.study.vocabulary),
            trained=trained_modes(*phases),
            mode_tokens=mode_tokens(self.traits(arm)[-1]),
        )

    @functools.cached_property
    def probes(self) -> tuple[list[Probe], list[str]]:
        """Every probe that its corpus allows, and why the others are left out."""
        params = self.program.initial_state().params
        untrained = self.subject(next(iter(self.arms)), params)
        found = prepared_probes(self.study, named_probes(self.study), untrained)
        left_out = [
            f"{n}: {p}" for n, p in found.items() if isinstance(p, NotApplicable)
        ]
        return [p for p in found.values() if not isinstance(p, NotApplicable)], left_out

    @functools.cached_property
    def published(self) -> list[PublishedData]:
        """The published tests that the study names by path."""
        study = self.study
        return [
            read_published(path, pairs=study.pairs, items=study.items)
            for path in study.published
        ]

    @functools.cached_property
    def _graph(self) -> nnx.GraphDef:
        return nnx.graphdef(nnx.eval_shape(self.program.fresh_model))
