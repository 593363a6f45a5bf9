"""Held-out loss of each task of a mixture, with intervals, beside its baseline.

The text and the rows are those of training's own evaluation, so that the figure of a
run's mixture is the one in its metrics; here the sums are kept by row, to resample.
"""

import functools
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Float, PyTree

from ...models.build import Model
from ...models.loss import at_slots
from ...models.rows import Batch
from ...models.vocabulary_loss import vocabulary_loss
from ...tasks.examples.mixture import Mixture, split_task
from ..training.evaluate import target_counts, unigram_entropy
from .asked import AskedModel

RESAMPLES = 1000


class HeldOutLoss(NamedTuple):
    """The held-out figures of a task, or of an objective over its tasks.

    Attributes:
      name: of the task, or of the objective.
      loss: mean cross-entropy of the predictions by weight, in nats.
      low: lower end of its 95 % bootstrap interval over rows.
      high: upper end.
      accuracy: share of the predictions that no other token beats.
      baseline: entropy of the targets, in nats: the loss of a model that knows only
        how often each is the answer.
      uniform: log of the vocabulary's size: the loss of one that knows nothing.
      predictions: number of predictions.
      rows: number of rows that hold them.
    """

    name: str
    loss: float
    low: float
    high: float
    accuracy: float
    baseline: float
    uniform: float
    predictions: int
    rows: int


class RowSums(NamedTuple):
    """Sums over the predictions of each row, by weight."""

    nll: Float[np.ndarray, " R"]
    weight: Float[np.ndarray, " R"]
    correct: Float[np.ndarray, " R"]


class Losses(NamedTuple):
    """What was measured: of each task, and of each objective over its tasks."""

    tasks: Sequence[HeldOutLoss]
    objectives: Sequence[HeldOutLoss]


def held_out_losses(
    asked: AskedModel,
    mixture: Mixture,
    held_out: Mapping[str, Sequence[Batch]],
    *,
    seed: int = 0,
) -> Losses:
    """Measures a model on held-out batches.

    Args:
      asked: the model.
      mixture: of the tasks; an objective is the mean of its tasks by rate.
      held_out: batches of NumPy arrays by task; tasks without any are left out.
      seed: of the bootstrap.
    """
    shares = mixture.task_shares()
    tasks: dict[str, HeldOutLoss] = {}
    drawn: dict[str, Float[np.ndarray, " resamples"]] = {}
    for number, (task, batches) in enumerate(held_out.items()):
        if not batches:
            continue
        sums = row_sums(asked, batches)
        drawn[task] = resampled(sums, np.random.default_rng([seed, number]))
        objective = mixture.objective(split_task(task)[1]).id
        vocabulary = asked.trained.model.projection().shape[0]
        counts = target_counts(batches, vocabulary_size=vocabulary)
        low, high = np.percentile(drawn[task], (2.5, 97.5))
        total = sums.weight.sum()
        tasks[task] = HeldOutLoss(
            task,
            loss=float(sums.nll.sum() / total),
            low=float(low),
            high=float(high),
            accuracy=float(sums.correct.sum() / total),
            baseline=float(unigram_entropy(counts)[objective]),
            uniform=math.log(vocabulary),
            predictions=int(counts[objective].sum()),
            rows=len(sums.weight),
        )
    by_objective: dict[str, list[str]] = {}
    for task in tasks:
        by_objective.setdefault(mixture.objective(split_task(task)[1]).base, []).append(
            task
        )
    return Losses(
        list(tasks.values()),
        [
            _mean(name, [tasks[t] for t in names], [drawn[t] for t in names],
                  np.array([shares[t] for t in names]))
            for name, names in by_objective.items()
        ],
    )  # fmt: skip


def row_sums(asked: AskedModel, batches: Sequence[Batch]) -> RowSums:
    """Runs the model over batches, and adds up each row that predicts anything."""
    graph, params = nnx.split(asked.trained.model)
    parts = []
    with asked.on_mesh():
        for batch in batches:
            whole = _whole_rows(batch, asked.mesh.size)
            parts.append(jax.device_get(_row_sums(params, asked.placed(whole), graph)))
    sums = [np.concatenate(part).astype(float) for part in zip(*parts, strict=True)]
    used = sums[1] > 0
    return RowSums(*(part[used] for part in sums))


def resampled(
    sums: RowSums, rng: np.random.Generator, *, resamples: int = RESAMPLES
) -> Float[np.ndarray, " resamples"]:
    """The loss of rows that are drawn with replacement, as many as there are."""
    rows = len(sums.weight)
    times = rng.multinomial(rows, np.full(rows, 1 / rows), size=resamples)
    return (times @ sums.nll) / (times @ sums.weight)


def _mean(
    name: str,
    tasks: Sequence[HeldOutLoss],
    drawn: Sequence[Float[np.ndarray, " resamples"]],
    shares: Float[np.ndarray, " tasks"],
) -> HeldOutLoss:
    """The mean of an objective's tasks by rate, as training reports it."""
    weights = shares / shares.sum()
    low, high = np.percentile(weights @ np.array(drawn), (2.5, 97.5))
    means = {
        field: float(weights @ [getattr(task, field) for task in tasks])
        for field in ("loss", "accuracy", "baseline", "uniform")
    }
    return HeldOutLoss(
        name,
        low=float(low),
        high=float(high),
        predictions=sum(task.predictions for task in tasks),
        rows=sum(task.rows for task in tasks),
        **means,
    )


def _whole_rows(batch: Batch, devices: int) -> Batch:
    """The batch with empty rows up to a multiple of the devices."""
    missing = -len(batch.decoder.tokens) % devices

    def padded(x: np.ndarray) -> np.ndarray:
        return np.pad(x, ((0, missing), (0, 0)))

    return jax.tree.map(padded, batch) if missing else batch


@functools.partial(jax.jit, static_argnames="graph")
def _row_sums(params: PyTree, batch: Batch, graph: nnx.GraphDef):
    """Weighted sums of loss, weight and right guesses of each row, [B] each."""
    model: Model = nnx.merge(graph, params)
    hidden = model(batch)
    parts = []
    for stream, states in (
        (batch.decoder, hidden.decoder),
        (batch.encoder, hidden.encoder),
    ):
        if stream is None or states is None:
            continue
        loss = vocabulary_loss(
            at_slots(states, jnp.asarray(stream.prediction_slots)),
            model.projection(),
            jnp.asarray(stream.targets),
            chunk=model.config.loss_chunk,
        )
        weights = jnp.asarray(stream.loss_weights)
        parts.append(
            [(weights * value).sum(1) for value in (loss.nll, 1.0, loss.correct)]
        )
    return [sum(values) for values in zip(*parts, strict=True)]
