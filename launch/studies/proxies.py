"""Proxies: small models on different mixtures, side by side at equal steps.

Their held-out losses and probe scores are the columns of a table of mixtures
(`diagnosis.tuning`).
"""

import contextlib
import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import jax
import numpy as np

from ...models.loss import ObjectiveSums
from ...models.rows import Batch
from ...objectives.errors import UsageError
from ...objectives.registry import base_name
from ...tasks.examples.mixture import Mixture, split_task
from ...tasks.shares.counts import count
from ..training.evaluate import target_counts, unigram_entropy
from ..training.population import Population, member
from ..training.program import Program
from ..training.step import stop_if_not_finite
from .proxy_probes import ProxyProbes
from .rows_of_arms import RowsOfArms
from .study import Study

CHECK_EVERY = 50
"""Steps between checks that the losses are finite."""


class ProxyScores(NamedTuple):
    """What a proxy has learned.

    Attributes:
      tokens: that it processed: filled slots.
      losses: held-out loss of each component, in nats.
      own_loss: of the incumbent's objectives, weighted by its shares of the loss.
      probes: primary score of each failure.
      not_learned: components that it trained in vain, as the gates of a study have it.
    """

    tokens: int
    losses: Mapping[str, float]
    own_loss: float
    probes: Mapping[str, float]
    not_learned: tuple[str, ...] = ()


class Proxy(NamedTuple):
    """What a proxy is trained on.

    Attributes:
      mixture: as `Proxies.mixture` makes it.
      seed: of its parameters and data.
    """

    mixture: Mixture
    seed: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Proxies:
    """Trains mixtures of a study's model, rows and schedule, some at a time.

    Steps are those in which the components, all alike, process `study.tokens`: rows of
    different mixtures are about equally full, and the tokens of each are reported.

    Attributes:
      study: its incumbent's file has the settings of variants.
      components: objectives or variants, which are mixed and measured.
      size: proxies trained side by side.
      failures: whose primary scores are measured.
    """

    study: Study
    components: tuple[str, ...]
    size: int
    failures: tuple[str, ...] = ()

    def mixture(
        self,
        name: str,
        rates: Mapping[str, float],
        loss_shares: Mapping[str, float] | None = None,
    ) -> Mixture:
        """A mixture of components.

        Args:
          name: of it.
          rates: shares of the examples, by component.
          loss_shares: shares of the loss, of which variants of an objective have one;
            None for the rates.

        Raises:
          UsageError: a component has a share of the loss, and no examples.
        """
        incumbent = self.study.mixture(self.study.incumbent)
        return dataclasses.replace(
            incumbent,
            name=name,
            rates={
                component: rates.get(component, 0.0) for component in self.components
            },
            loss_shares=loss_shares and _of_objectives(name, rates, loss_shares),
            schedule={},
            settings={**self.study.settings, **incumbent.settings},
        )

    def train(
        self,
        runs: Sequence[Proxy],
        *,
        progress: Callable[[int], None] = lambda step: None,
    ) -> list[ProxyScores]:
        """Trains up to `size` proxies from scratch and measures them.

        Args:
          runs: fewer are made up with the last one, whose repeats are dropped.
          progress: called with the steps taken.

        Raises:
          UsageError: something that is to be measured cannot be.
          NotFiniteError: ten steps in a row of a proxy were not finite.
        """
        # What cannot be measured is refused before anything is trained.
        _ = self._probes, self._held_out, self._held_out_own
        every = [runs[min(n, len(runs) - 1)] for n in range(self.size)]
        shares = np.stack([run.mixture.loss_share_array() for run in every])
        states = self._population.initial_state([run.seed for run in every])
        tokens = np.zeros(self.size, int)
        with contextlib.ExitStack() as stack:
            streams = [
                iter(stack.enter_context(contextlib.closing(stream)))
                for stream in (
                    self._rows.training(run.mixture, seed=run.seed) for run in runs
                )
            ]
            for step in range(1, self.steps + 1):
                own = [next(stream)[0] for stream in streams]
                own += own[-1:] * (self.size - len(own))
                placed = self._population.place(own)
                states, metrics = self._train_step(states, placed, shares)
                tokens += [int(count(batch).processed.sum()) for batch in own]
                if step % CHECK_EVERY == 0 or step == self.steps:
                    measured = jax.device_get(metrics)
                    for n in range(len(runs)):
                        stop_if_not_finite(member(measured, n), step=step, most=10)
                    progress(step)
        return self._measure(runs, states.params, tokens)

    @functools.cached_property
    def steps(self) -> int:
        """Of every proxy."""
        return max(1, round(self.study.tokens / self._rows.tokens(self.even)))

    def _measure(self, runs: Sequence[Proxy], params, tokens) -> list[ProxyScores]:
        """Held-out losses and probe scores of every run."""
        losses = {
            component: self._loss(params, batches)[:, self.even.objective(component).id]
            for component, batches in self._held_out.items()
        }
        weights = self._incumbent.loss_share_array()
        used = weights > 0
        own = self._loss(params, self._held_out_own)[:, used] @ weights[used]
        found = []
        for n, run in enumerate(runs):
            of_run = {component: float(each[n]) for component, each in losses.items()}
            found.append(
                ProxyScores(
                    *(int(tokens[n]), of_run, float(own[n])),
                    self._probes.scores(run.mixture, member(params, n)),
                    not_learned=tuple(self._not_learned(run.mixture, of_run)),
                )
            )
        return found

    def _not_learned(
        self, mixture: Mixture, losses: Mapping[str, float]
    ) -> Iterator[str]:
        """The components whose loss is not under that of knowing nothing of the text.

        That is the lesser of a uniform guess and of the targets' frequencies alone.
        """
        uniform = math.log(self._program.vocabulary_size)
        for component, loss in losses.items():
            due = base_name(component) not in self.study.ungated
            ceiling = min(uniform, self._frequencies_alone[component])
            if due and mixture.rates[component] > 0 and not loss < ceiling:
                yield component

    @functools.cached_property
    def _frequencies_alone(self) -> dict[str, float]:
        """The loss of each component's held-out targets by their frequencies alone."""
        found = {}
        for component, batches in self._held_out.items():
            size = self._program.vocabulary_size
            entropy = unigram_entropy(target_counts(batches, vocabulary_size=size))
            found[component] = float(entropy[self.even.objective(component).id])
        return found

    def _loss(self, params, batches: Sequence[Batch]) -> np.ndarray:
        """Mean loss by proxy and objective, [k O]; NaN without targets."""
        totals: list[ObjectiveSums] = [
            jax.device_get(self._eval_step(params, batch)) for batch in batches
        ]
        nll = sum(np.asarray(total.nll) for total in totals)
        weight = sum(np.asarray(total.weight) for total in totals)
        with np.errstate(invalid="ignore"):  # objectives that are not there
            return np.asarray(nll / weight)

    @functools.cached_property
    def _population(self) -> Population:
        return Population(program=self._program, seeds=(0,) * self.size)

    @functools.cached_property
    def _program(self) -> Program:
        return self.study.program(steps=self.steps)

    @functools.cached_property
    def _probes(self) -> ProxyProbes:
        return ProxyProbes(self.study, self._program, self.failures)

    @functools.cached_property
    def _train_step(self):
        return self._population.compile_train_step()

    @functools.cached_property
    def _eval_step(self):
        return self._population.compile_eval_step()

    @functools.cached_property
    def even(self) -> Mixture:
        """The components, all alike: what says how many steps a proxy takes."""
        return self.mixture("even", dict.fromkeys(self.components, 1.0))

    @functools.cached_property
    def _rows(self) -> RowsOfArms:
        return RowsOfArms(self.study)

    @functools.cached_property
    def _held_out(self) -> dict[str, list[Batch]]:
        """Batches of each component alone, of every corpus that is trained on."""
        batches = self._held_out_of(self.even)
        return {
            component: [
                batch
                for task, of_task in batches.items()
                if split_task(task)[1] == component
                for batch in of_task
            ]
            for component in self.components
        }

    @functools.cached_property
    def _incumbent(self) -> Mixture:
        return self.study.mixture(self.study.incumbent)

    @functools.cached_property
    def _held_out_own(self) -> list[Batch]:
        """Batches of the incumbent's tasks, as it sets them."""
        return list(itertools.chain(*self._held_out_of(self._incumbent).values()))

    def _held_out_of(self, mixture: Mixture) -> dict[str, list[Batch]]:
        """The held-out batches of each task.

        Raises:
          UsageError: there is no validation text for one.
        """
        found = self._rows.held_out(mixture)
        for task, batches in found.items():
            if not batches:
                raise UsageError(
                    f"no held-out rows of {task!r}: its corpus has no validation text "
                    "that is long enough; bind more, or leave the component out."
                )
        return found


def _of_objectives(
    name: str, rates: Mapping[str, float], loss_shares: Mapping[str, float]
) -> dict[str, float]:
    """Shares of the loss by objective: variants of one have theirs together."""
    shares: dict[str, float] = {}
    for component, share in loss_shares.items():
        if rates.get(component, 0.0) > 0:
            base = base_name(component)
            shares[base] = shares.get(base, 0.0) + share
        elif share > 0:
            raise UsageError(
                f"mixture {name!r} gives {component!r} {share:g} of the loss and no "
                "examples; set both above 0, or neither."
            )
    total = sum(shares.values())  # 1, but for rounding
    return {objective: share / total for objective, share in shares.items()}
