"""One run of a study: a mix trained from scratch and probed on the way."""

import dataclasses
import functools
from collections.abc import Callable, Iterator

import jax
import numpy as np
from flax import nnx
from jaxtyping import PyTree

from ...diagnosis.probes.asking.subject import Subject, subject
from ...diagnosis.probes.battery import PROBES, NotApplicable, Probe
from ...diagnosis.probes.material import material
from ...diagnosis.results.records import Record
from ...diagnosis.traits.objective_traits import Traits, mode_tokens, trained_modes
from ...diagnosis.traits.traits import mixture_traits
from ...models.rows import Batch
from ...objectives import registry
from ...tasks.examples.example_stream import (
    split_documents,
)
from ...tasks.examples.mixture import Mixture
from ...tasks.shares.counts import count
from ...tasks.tokens.tokenised_documents import TokenisedDocuments
from ...tasks.tokens.vocabulary import vocabulary
from ..training.evaluate import evaluate
from ..training.program import EvalStep, TrainStep
from ..training.step import stop_if_not_finite
from .study import Study
from .study_batches import held_out_batches, steps_of, training_batches

CHECK_EVERY = 50
"""Steps between checks that the loss is finite."""


class StudyResources:
    """Shared by all runs of a study: programs, held-out batches, probe items."""

    def __init__(self, study: Study):
        self.study = study
        # For everything that no schedule affects; any number of steps would do.
        self.program = study.program(steps=study.tokens)
        self.eval_step: EvalStep = self.program.compile_eval_step()
        self.graph = nnx.graphdef(nnx.eval_shape(self.program.fresh_model))
        self.train_step = functools.cache(self._train_step)
        self.traits = functools.cache(self._traits)

    def steps(self, mix: str) -> int:
        """Steps in which a mix processes the study's tokens, by its first batches."""
        mixture = self.study.mixture(mix)
        return steps_of(self.study, self.training_batches(mixture, seed=0))

    def _train_step(self, mix: str) -> TrainStep:
        """A mix's step: mixes differ only in their schedule."""
        return self.study.program(steps=self.steps(mix)).compile_train_step()

    @functools.cached_property
    def held_out(self) -> list[Batch]:
        """Batches of each of the incumbent's objectives."""
        mixture = self.study.mixture(self.study.incumbent)
        documents = split_documents(mixture, "validation")[self.study.corpus]
        held_out: list[Batch] = []
        for task in mixture.positive_rates():
            held_out += held_out_batches(self.study, mixture, task, documents=documents)
        return held_out

    @functools.cached_property
    def probes(self) -> tuple[list[Probe], list[str]]:
        """Every probe that the corpus allows, and why the others are left out."""
        mixture = self.study.mixture(self.study.incumbent)
        untrained = self.subject(mixture, self.program.initial_state().params)
        probe_material = material(
            untrained, mixture.corpus(self.study.corpus), self.study.plan()
        )
        probes: list[Probe] = []
        left_out: list[str] = []
        for named in PROBES.values():
            for name, prepare in named.items():
                try:
                    probes.append(prepare(untrained, probe_material))
                except NotApplicable as reason:
                    left_out.append(f"{name}: {reason}")
        return probes, left_out

    def subject(self, mixture: Mixture, params: PyTree) -> Subject:
        """A model of the study as probes see it; the parameters are copied."""
        # Training consumes its parameters.
        model = nnx.merge(self.graph, jax.tree.map(lambda x: x.copy(), params))
        vocab = vocabulary(self.study.vocabulary)
        traits = self.traits(mixture.name)
        return subject(
            model,
            self.study.rows,
            vocab,
            trained=trained_modes(traits),
            mode_tokens=mode_tokens(traits),
        )

    def _traits(self, mix: str) -> Traits:
        """What a mix's Examples ask for, and in which forms."""
        traits = mixture_traits(self.study.mixture(mix), self.study.rows)
        return traits.overall["examples"]

    @functools.cached_property
    def documents(self) -> dict[str, TokenisedDocuments]:
        """Of training, shared by all mixes, so that each is tokenised once."""
        return split_documents(self.study.mixture(self.study.incumbent), "train")

    def training_batches(self, mixture: Mixture, *, seed: int) -> Iterator[Batch]:
        """A mix's batches, without end."""
        return training_batches(
            self.study, mixture, seed=seed, documents=self.documents
        )


def run(
    resources: StudyResources,
    mix: str,
    *,
    seed: int,
    progress: Callable[[int], None] = lambda tokens: None,
) -> Iterator[Record]:
    """Trains one mix from scratch and measures it at each point.

    Args:
      resources: the study's programs.
      mix: name of the mix.
      seed: of parameters and data.
      progress: called with the tokens processed.

    Raises:
      FloatingPointError: ten steps in a row were not finite.
    """
    study = resources.study
    mixture = study.mixture(mix)
    shares = mixture.loss_share_array()
    train_step = resources.train_step(mix)
    state = dataclasses.replace(resources.program, seed=seed).initial_state()
    stream = resources.training_batches(mixture, seed=seed)
    tokens, step, point = 0, 0, 0
    for batch in stream:
        state, metrics = train_step(state, resources.program.place(batch), shares)
        tokens, step = tokens + int(count(batch).processed.sum()), step + 1
        if step % CHECK_EVERY == 0:
            stop_if_not_finite(jax.device_get(metrics), step=step, most=10)
            progress(tokens)
        if tokens * study.points < study.tokens * (point + 1):
            continue
        point += 1
        yield _measure(resources, mixture, state.params, tokens, seed)
        if point == study.points:
            return


def _measure(
    resources: StudyResources,
    mixture: Mixture,
    params: PyTree,
    tokens: int,
    seed: int,
) -> Record:
    """Held-out losses and scores of the current model."""
    evaluation = evaluate(
        resources.program, resources.eval_step, params, resources.held_out
    )
    losses = {
        name: float(evaluation.loss[o.id])
        for name, o in registry.objectives().items()
        if not np.isnan(evaluation.loss[o.id])
    }
    current = resources.subject(mixture, params)
    probes, left_out = resources.probes
    scores = [score for probe in probes for score in probe(current)]
    return Record(mixture.name, seed, tokens, losses, tuple(scores), tuple(left_out))
