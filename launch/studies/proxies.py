"""Proxies: small models on different mixtures, side by side at equal steps.

Their held-out losses are the scores of a table of mixtures (`diagnosis.tuning`).
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import jax
import numpy as np

from ...models.loss import ObjectiveSums
from ...models.rows import Batch
from ...tasks.examples.example_stream import (
    split_documents,
)
from ...tasks.examples.mixture import Mixture
from ...tasks.shares.counts import count
from ...tasks.tokens.tokenised_documents import TokenisedDocuments
from ..training.population import Population, member
from ..training.step import stop_if_not_finite
from .study import Study
from .study_batches import held_out_batches, steps_of, training_batches

CHECK_EVERY = 50
"""Steps between checks that the losses are finite."""


class ProxyScores(NamedTuple):
    """What a proxy has learned.

    Attributes:
      tokens: that it processed: filled slots.
      losses: held-out loss of each component, in nats.
    """

    tokens: int
    losses: Mapping[str, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Proxies:
    """Trains mixtures of a study's model, rows and schedule, some at a time.

    Steps are those in which the components, all alike, process `study.tokens`: rows of
    different mixtures are about equally full, and the tokens of each are reported.

    Attributes:
      study: its incumbent's file has the settings of variants.
      components: objectives or variants, which are mixed and measured.
      size: proxies trained side by side.
      seed: of the parameters and data of every proxy.
    """

    study: Study
    components: tuple[str, ...]
    size: int
    seed: int = 0

    def mixture(self, name: str, rates: Mapping[str, float]) -> Mixture:
        """A mixture of components, each with its rate as its share of the loss."""
        incumbent = self.study.mixture(self.study.incumbent)
        return dataclasses.replace(
            incumbent,
            name=name,
            rates={
                component: rates.get(component, 0.0) for component in self.components
            },
            loss_shares=None,
            schedule={},
            settings={**self.study.settings, **incumbent.settings},
        )

    def train(
        self,
        mixtures: Sequence[Mixture],
        *,
        progress: Callable[[int], None] = lambda step: None,
    ) -> list[ProxyScores]:
        """Trains up to `size` mixtures from scratch and measures them.

        Args:
          mixtures: fewer are made up with the last one, whose repeats are dropped.
          progress: called with the steps taken.

        Raises:
          NotFiniteError: ten steps in a row of a proxy were not finite.
        """
        every = [mixtures[min(n, len(mixtures) - 1)] for n in range(self.size)]
        streams = [self._batches(m) for m in every[: len(mixtures)]]
        shares = np.stack([m.loss_share_array() for m in every])
        states, tokens = self._population.initial_state(), np.zeros(self.size, int)
        for step in range(1, self.steps + 1):
            own = [next(stream) for stream in streams]
            own += own[-1:] * (self.size - len(own))
            placed = self._population.place(own)
            states, metrics = self._train_step(states, placed, shares)
            tokens += [int(count(batch).processed.sum()) for batch in own]
            if step % CHECK_EVERY == 0 or step == self.steps:
                measured = jax.device_get(metrics)
                for n in range(len(mixtures)):
                    stop_if_not_finite(member(measured, n), step=step, most=10)
                progress(step)
        losses = self._losses(states.params)[: len(mixtures)]
        return [
            ProxyScores(int(n), each) for n, each in zip(tokens, losses, strict=False)
        ]

    @functools.cached_property
    def steps(self) -> int:
        """Of every proxy."""
        return max(1, steps_of(self.study, self._batches(self._even)))

    def _losses(self, params) -> list[dict[str, float]]:
        found: list[dict[str, float]] = [{} for _ in range(self.size)]
        for component, held_out in self._held_out.items():
            objective = self._even.objective(component).id
            totals: list[ObjectiveSums] = [
                jax.device_get(self._eval_step(params, batch)) for batch in held_out
            ]
            nll = sum(np.asarray(total.nll)[:, objective] for total in totals)
            weight = sum(np.asarray(total.weight)[:, objective] for total in totals)
            for n, loss in enumerate(np.asarray(nll / weight)):
                found[n][component] = float(loss)
        return found

    @functools.cached_property
    def _population(self) -> Population:
        program = self.study.program(steps=self.steps)
        return Population(program=program, seeds=(self.seed,) * self.size)

    @functools.cached_property
    def _train_step(self):
        return self._population.compile_train_step()

    @functools.cached_property
    def _eval_step(self):
        return self._population.compile_eval_step()

    @functools.cached_property
    def _even(self) -> Mixture:
        return self.mixture("even", dict.fromkeys(self.components, 1.0))

    @functools.cached_property
    def _documents(self) -> dict[str, TokenisedDocuments]:
        return split_documents(self._even, "train")

    @functools.cached_property
    def _held_out(self) -> dict[str, list[Batch]]:
        """Batches of each component alone."""
        documents = split_documents(self._even, "validation")[self.study.corpus]
        return {
            component: held_out_batches(
                self.study,
                self._even,
                f"{self.study.corpus}.{component}",
                documents=documents,
            )
            for component in self.components
        }

    def _batches(self, mixture: Mixture) -> Iterator[Batch]:
        """A mixture's batches, without end."""
        return training_batches(
            self.study, mixture, seed=self.seed, documents=self._documents
        )
