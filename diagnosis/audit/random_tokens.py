"""Random-token losses: a second leak test, by training.

A model is trained briefly on independent random tokens, with the layout, packing and
loss of any other run. What a prediction may see says nothing about a token drawn
independently, so without a leak no objective's loss can fall below ln K for K tokens,
or below the entropy of the labels. Answers that an objective shows by definition, and
reserved ids, which follow from structure, are not counted.
"""

import functools
import itertools
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import jax
import numpy as np
import optax
from flax import nnx
from jaxtyping import Float, Int

from ...models.build import build
from ...models.config import ModelConfig
from ...models.loss import (
    loss_coefficients,
    mixture_loss,
    objective_sums,
    weight_totals,
)
from ...models.rows import Batch, RowShape
from ...objectives.coded import coded_ids
from ...objectives.example import Example
from ...objectives.registry import CAPACITY, Objective
from ...objectives.special_ids import SpecialIds
from ...tasks.rows.layout import Placed, layout
from ...tasks.rows.packing import collate, first_fit
from .declared import hidden
from .specimens import Specimen, specimen

ALPHABET = 8
"""K, the number of distinct random tokens: few, so that copying is learned fast."""

VOCABULARY = 128
"""V of the trained model: the reserved ids of coded text, and the alphabet."""

ROWS = 8
STEPS = 250
LEARNING_RATE = 3e-3
BATCHES = 40
"""Batches on which the loss is measured after training."""

ERRORS = 4.0
"""Standard errors below chance at which a loss counts as too low."""


class RandomTokenLoss(NamedTuple):
    """An objective's loss on random tokens after training.

    Attributes:
      objective: its name.
      loss: mean over the predictions whose answer is hidden, in nats; NaN if none is.
      error: standard error of `loss`.
      chance: the lowest loss possible without a leak, in nats.
    """

    objective: str
    loss: float
    error: float
    chance: float

    @property
    def below_chance(self) -> bool:
        """Whether the loss is below chance; False where no answer is hidden."""
        return self.loss < self.chance - ERRORS * self.error


def random_token_losses(
    config: ModelConfig,
    objectives: Mapping[str, Objective],
    shape: RowShape,
    *,
    steps: int = STEPS,
    seed: int = 0,
) -> Iterator[RandomTokenLoss]:
    """Trains a model on random tokens and measures each objective's loss.

    Args:
      config: of the model; a few thousand parameters are enough.
      objectives: with their settings; variants of one objective share a loss.
      shape: of the rows; implies the architecture.
      steps: of training, of `ROWS` rows each.
      seed: of the random text and the parameters.
    """
    rng = np.random.default_rng(seed)
    ids = coded_ids()._replace(text=np.arange(VOCABULARY)[-ALPHABET:].astype(np.int32))
    rngs = nnx.Rngs(seed)
    model = build(config, vocabulary_size=VOCABULARY, shape=shape, rngs=rngs)
    graph, params = nnx.split(model)
    optimiser = optax.adam(LEARNING_RATE).init(params)
    packed = _rows(_specimens(objectives, shape, ids, rng), shape, ids)
    shares = np.zeros(CAPACITY, np.float32)
    shares[[o.id for o in objectives.values()]] = 1
    for _ in range(steps):
        batch, _ = _batch(packed, shape, only_hidden=False)
        params, optimiser = _train(params, optimiser, batch, shares, graph=graph)

    measured = [_batch(packed, shape, only_hidden=True) for _ in range(BATCHES)]
    sums = [
        jax.device_get(_measure(params, batch, graph=graph))[:2]
        for batch, _ in measured
    ]
    answers = np.concatenate([answers for _, answers in measured])
    for name, id_ in {o.base: o.id for o in objectives.values()}.items():
        nll, weight = (
            np.array([x[id_] for x in pair]) for pair in zip(*sums, strict=True)
        )
        chance = _chance(answers[answers[:, 0] == id_, 1], ids)
        yield RandomTokenLoss(name, *_mean(nll, weight), chance=chance)


def _mean(
    nll: Float[np.ndarray, " N"], weight: Float[np.ndarray, " N"]
) -> tuple[float, float]:
    """Mean over all predictions, and its standard error, by batches."""
    total = weight.sum()
    if not total:
        return math.nan, math.nan
    mean = nll.sum() / total
    return float(mean), float(np.sqrt(np.square(nll - mean * weight).sum()) / total)


def _chance(answers: Int[np.ndarray, " N"], ids: SpecialIds) -> float:
    """Mean entropy of hidden answers, nats: ln K for text, by counts for labels."""
    labels = answers[np.isin(answers, ids.labels)]
    counts = np.unique(labels, return_counts=True)[1]
    nats = -np.sum(counts * np.log(counts / max(len(labels), 1)))
    nats += (len(answers) - len(labels)) * math.log(ALPHABET)
    return float(nats / max(len(answers), 1))


@functools.partial(jax.jit, static_argnames="graph")
def _train(params, optimiser, batch: Batch, shares, *, graph: nnx.GraphDef):
    """One update of the parameters and of the optimiser's state."""
    coefficients = loss_coefficients(shares, weight_totals(batch))

    def loss(params):
        return mixture_loss(nnx.merge(graph, params), batch, coefficients)[0]

    gradient = jax.grad(loss)(params)
    updates, optimiser = optax.adam(LEARNING_RATE).update(gradient, optimiser)
    return optax.apply_updates(params, updates), optimiser


@functools.partial(jax.jit, static_argnames="graph")
def _measure(params, batch: Batch, *, graph: nnx.GraphDef):
    """Sums of nll and weight by objective, without a gradient."""
    return objective_sums(nnx.merge(graph, params), batch)


def _specimens(
    objectives: Mapping[str, Objective],
    shape: RowShape,
    ids: SpecialIds,
    rng: np.random.Generator,
) -> Iterator[Specimen]:
    """Specimens of random text, cycling through the objectives without end."""
    for objective in itertools.cycle(objectives.values()):
        yield specimen(objective, shape, ids, rng, alphabet=ids.text)


class _LaidOut(NamedTuple):
    """A specimen laid out twice: with all predictions, and with hidden ones only."""

    trained: Placed
    measured: Placed
    answers: Int[np.ndarray, "P 2"]


def _rows(
    specimens: Iterator[Specimen], shape: RowShape, ids: SpecialIds
) -> Iterator[list[_LaidOut]]:
    """Packs an endless stream of specimens as training does."""
    laid_out = map(functools.partial(_lay_out, layout(shape, bos=ids.bos)), specimens)
    return first_fit(laid_out, shape, placed=operator.attrgetter("trained"))


def _lay_out(place: Callable[[Example], Placed], specimen: Specimen) -> _LaidOut:
    example, mask = specimen.example, hidden(specimen).astype(np.float32)
    cut = len(example.inputs)
    masked = example._replace(inputs_weights=mask[:cut], targets_weights=mask[cut:])
    predicted = np.concatenate([example.inputs_targets, example.targets])
    answers = predicted[mask > 0]
    objectives = np.full_like(answers, example.objective)
    return _LaidOut(place(example), place(masked), np.stack([objectives, answers], 1))


def _batch(
    rows: Iterator[list[_LaidOut]], shape: RowShape, *, only_hidden: bool
) -> tuple[Batch, Int[np.ndarray, "P 2"]]:
    """The next batch, and the (objective, answer) of its hidden predictions."""
    group = list(itertools.islice(rows, ROWS))
    field = "measured" if only_hidden else "trained"
    batch = collate([[getattr(item, field) for item in row] for row in group], shape)
    return batch, np.concatenate([item.answers for row in group for item in row])
