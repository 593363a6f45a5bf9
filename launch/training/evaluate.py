"""Held-out loss of each objective, beside that of its target frequencies alone."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float, PyTree

from ...models.loss import ObjectiveSums
from ...models.rows import Batch
from ...objectives.registry import CAPACITY
from ...tasks.examples.mixture import Mixture, split_task
from .program import EvalStep, Program


class Evaluation(NamedTuple):
    """Held-out figures by objective; NaN where nothing was predicted.

    Attributes:
      loss: mean cross-entropy, in nats.
      accuracy: share of the predictions that no other token beats.
      baseline: entropy of the targets, in nats: the loss of a model that knows only
        how often each is the answer. For pairs with as many positives as negatives
        that is ln 2.
      predictions: number of predictions measured.
    """

    loss: Float[np.ndarray, " O"]
    accuracy: Float[np.ndarray, " O"]
    baseline: Float[np.ndarray, " O"]
    predictions: Float[np.ndarray, " O"]


def evaluate(
    program: Program, eval_step: EvalStep, params: PyTree, batches: Sequence[Batch]
) -> Evaluation:
    """Runs the model over held-out batches.

    Args:
      program: places the batches, one after another.
      eval_step: its compiled evaluation step.
      params: the model's parameters.
      batches: at least one, of NumPy arrays, whole on every host; sums are kept by
        objective.
    """
    totals: list[ObjectiveSums] = []
    for batch in batches:
        total = eval_step(params, program.place_whole(batch))
        # Each batch is placed while the one before it is computed; no more than one.
        totals[-1:] = jax.device_get(totals[-1:])
        totals.append(total)
    sums = jax.tree.map(lambda *x: np.sum(x, 0), *jax.device_get(totals))
    counts = target_counts(batches, vocabulary_size=program.vocabulary_size)
    with np.errstate(invalid="ignore"):
        return Evaluation(
            loss=sums.nll / sums.weight,
            accuracy=sums.correct / sums.weight,
            baseline=unigram_entropy(counts),
            predictions=counts.sum(1),
        )


def evaluate_tasks(
    program: Program,
    eval_step: EvalStep,
    params: PyTree,
    held_out: Mapping[str, Sequence[Batch]],
    *,
    before_each: Callable[[], object],
) -> dict[str, Evaluation]:
    """Evaluates every task that has held-out batches.

    Args:
      program: places the batches.
      eval_step: its compiled evaluation step.
      params: the model's parameters.
      held_out: batches by task.
      before_each: called before each task; may stop the evaluation by raising.
    """
    measured = {}
    for task, batches in held_out.items():
        before_each()
        if batches:
            measured[task] = evaluate(program, eval_step, params, batches)
    return measured


def mean_by_rate(
    measured: Mapping[str, Evaluation], mixture: Mixture
) -> dict[str, Float[np.ndarray, " O"]]:
    """Loss and baseline of each objective: the mean of its tasks, weighted by rate.

    Args:
      measured: evaluations by task, each of its own objective's predictions.
      mixture: its rates weigh the tasks.
    """
    shares = mixture.task_shares()
    fields = ("loss", "baseline")
    sums = {field: np.zeros(CAPACITY) for field in fields}
    weights = np.zeros(CAPACITY)
    for task, evaluation in measured.items():
        objective = mixture.objective(split_task(task)[1]).id
        weights[objective] += shares[task]
        for field in fields:
            sums[field][objective] += (
                shares[task] * getattr(evaluation, field)[objective]
            )
    with np.errstate(invalid="ignore"):
        return {field: total / weights for field, total in sums.items()}


def target_counts(
    batches: Iterable[Batch], *, vocabulary_size: int
) -> Float[np.ndarray, "O V"]:
    """How often each token is a target of each objective, whatever its loss weight.

    Args:
      batches: of NumPy arrays.
      vocabulary_size: V.
    """
    counts = np.zeros((CAPACITY, vocabulary_size))
    for batch in batches:
        for stream in (batch.decoder, batch.encoder):
            if stream is not None:
                places = (stream.objective_ids, stream.targets)
                np.add.at(counts, places, stream.loss_weights > 0)
    return counts


def unigram_entropy(counts: Float[np.ndarray, "O V"]) -> Float[np.ndarray, " O"]:
    """Entropy of each objective's targets, in nats; NaN for one that is absent.

    The plain entropy of observed frequencies is biased low, by 0.3 nats for 5,000
    targets of a vocabulary of 4,000. So this is the estimate of Chao & Shen (2003),
    which accounts for tokens that the sample does not contain:

        H = -Σ_v q_v ln q_v / (1 - (1 - q_v)^N),  q_v = (1 - f₁/N) · n_v/N

    with f₁ the number of tokens seen once among N. It agrees with the plain entropy
    if there are none, as for the two labels of pairs. Where few targets were seen it
    can exceed ln V, which no entropy does: it is cut there.

    Args:
      counts: of each token as a target.
    """
    present = np.flatnonzero(counts.sum(1))
    entropy = np.full(CAPACITY, np.nan)
    for objective in present:
        n = counts[objective][counts[objective] > 0]
        total = n.sum()
        # If all are seen once: leave a little coverage, or the estimate is 0/0.
        coverage = max(1 - (n == 1).sum() / total, 1 / total)
        q = coverage * n / total
        with np.errstate(divide="ignore"):  # one token alone is seen surely: ln 0
            seen = -np.expm1(total * np.log1p(-q))
        entropy[objective] = -np.sum(q * np.log(q) / seen)
    return np.minimum(entropy, np.log(counts.shape[1]))
