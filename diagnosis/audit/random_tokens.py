"""Random-token losses: nothing can be learned of random tokens that is not shown.

A model is trained for a short while on text of independent random tokens, through the
same layout, packing and loss as any other. Whatever a prediction may see tells nothing
of a token that was drawn by itself, so no objective's loss may fall below ln K for K
tokens, or below the entropy of the labels. A leak is a
way below: the model finds it. Not counted: answers that an objective shows by
definition, and reserved ids, which structure tells.
"""

import functools
import itertools
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

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
"""K, random tokens in all: few, so that a model has soon learned to copy one."""

VOCABULARY = 128
"""V of the model that is trained: the reserved ids of coded text, and the alphabet."""

ROWS = 8
STEPS = 250
LEARNING_RATE = 3e-3
BATCHES = 40
"""On which the loss is measured after training."""

ERRORS = 4.0
"""Standard errors below chance at which a loss counts as too low."""


class RandomTokenLoss(NamedTuple):
    """What an objective's loss came down to on random tokens.

    Attributes:
      objective: its name.
      loss: mean over the predictions whose answer nothing shows, in nats; NaN if there
        is none.
      error: standard error of `loss`.
      chance: the least that can be had without a leak, in nats.
    """

    objective: str
    loss: float
    error: float
    chance: float

    @property
    def fell(self) -> bool:
        """Whether the loss is below chance; not where nothing is hidden to measure."""
        return self.loss < self.chance - ERRORS * self.error


def random_token_losses(
    config: ModelConfig,
    objectives: Mapping[str, Objective],
    shape: RowShape,
    *,
    steps: int = STEPS,
    seed: int = 0,
) -> Iterator[RandomTokenLoss]:
    """Trains a model on random tokens and says where each objective's loss ended.

    Args:
      config: of the model; one of a few thousand parameters will do.
      objectives: with their settings; variants of one objective are trained as one.
      shape: of the rows, which chooses the architecture.
      steps: of training, of `ROWS` rows each.
      seed: of the random text and the parameters.
    """
    rng = np.random.default_rng(seed)
    ids = coded_ids()._replace(text=np.arange(VOCABULARY)[-ALPHABET:].astype(np.int32))
    rngs = nnx.Rngs(seed)
    model = build(config, vocabulary_size=VOCABULARY, shape=shape, rngs=rngs)
    graph, params = nnx.split(model)
    train, measure = _steps(graph)
    optimiser = optax.adam(LEARNING_RATE).init(params)
    packed = _rows(_specimens(objectives, shape, ids, rng), shape, ids)
    shares = np.zeros(CAPACITY, np.float32)
    shares[[o.id for o in objectives.values()]] = 1
    for _ in range(steps):
        batch, _ = _batch(packed, shape, only_hidden=False)
        params, optimiser = train(params, optimiser, batch, shares)

    found = [_batch(packed, shape, only_hidden=True) for _ in range(BATCHES)]
    sums = [jax.device_get(measure(params, batch))[:2] for batch, _ in found]
    answers = np.concatenate([answers for _, answers in found])
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
    """Mean nats of answers that nothing tells: ln K for text, else by their counts."""
    labels = answers[np.isin(answers, ids.labels)]
    counts = np.unique(labels, return_counts=True)[1]
    nats = -np.sum(counts * np.log(counts / max(len(labels), 1)))
    nats += (len(answers) - len(labels)) * math.log(ALPHABET)
    return float(nats / max(len(answers), 1))


def _steps(graph: nnx.GraphDef) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A training step and a measuring one, compiled."""

    @jax.jit
    def train(params, optimiser, batch: Batch, shares):
        coefficients = loss_coefficients(shares, weight_totals(batch))

        def loss(params):
            return mixture_loss(nnx.merge(graph, params), batch, coefficients)[0]

        updates, optimiser = optax.adam(LEARNING_RATE).update(
            jax.grad(loss)(params), optimiser
        )
        return optax.apply_updates(params, updates), optimiser

    @jax.jit
    def measure(params, batch: Batch):
        return objective_sums(nnx.merge(graph, params), batch)

    return train, measure


def _specimens(
    objectives: Mapping[str, Objective],
    shape: RowShape,
    ids: SpecialIds,
    rng: np.random.Generator,
) -> Iterator[Specimen]:
    """Random text of one objective after another, without end."""
    for objective in itertools.cycle(objectives.values()):
        yield specimen(objective, shape, ids, rng, alphabet=ids.text)


class _Twice(NamedTuple):
    """A specimen laid out with all of its predictions, and with the hidden ones."""

    trained: Placed
    measured: Placed
    answers: Int[np.ndarray, "P 2"]


def _rows(
    specimens: Iterator[Specimen], shape: RowShape, ids: SpecialIds
) -> Iterator[list[_Twice]]:
    """Packs specimens as training does, without end."""
    twice = map(functools.partial(_twice, layout(shape, bos=ids.bos)), specimens)
    return first_fit(twice, shape, placed=operator.attrgetter("trained"))


def _twice(place: Callable[[Example], Placed], made: Specimen) -> _Twice:
    example, mask = made.example, hidden(made).astype(np.float32)
    cut = len(example.inputs)
    only = example._replace(inputs_weights=mask[:cut], targets_weights=mask[cut:])
    asked = np.concatenate([example.inputs_targets, example.targets])
    answers = asked[mask > 0]
    objectives = np.full_like(answers, example.objective)
    return _Twice(place(example), place(only), np.stack([objectives, answers], 1))


def _batch(
    rows: Iterator[list[_Twice]], shape: RowShape, *, only_hidden: bool
) -> tuple[Batch, Int[np.ndarray, "P 2"]]:
    """The next batch, and the (objective, answer) of its hidden predictions."""
    group = list(itertools.islice(rows, ROWS))
    field = "measured" if only_hidden else "trained"
    batch = collate([[getattr(one, field) for one in row] for row in group], shape)
    return batch, np.concatenate([one.answers for row in group for one in row])
