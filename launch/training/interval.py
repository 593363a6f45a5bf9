"""Sums over the steps since the last record of metrics."""

import math
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Float64

from ...objectives.registry import CAPACITY
from ...tasks.shares.counts import Counts, add, zero_counts
from ..hosts.sums import over_processes
from .report import record_of
from .step import StepMetrics


class Interval(NamedTuple):
    """Sums over the steps since the last record.

    Saved with every checkpoint, so that a resumed run writes the same records.
    Steps that were skipped are counted and stay out of every sum.

    Attributes:
      counts: of the batches, over all hosts.
      counts_here: of this host's rows of the newest batches, not in `counts` yet
        (`together`).
      nll: of cross-entropy, by objective.
      weight: of loss weights, by objective.
      correct: of correct predictions, by objective.
      loss: of the loss.
      grad_norm: of the gradient norm.
      steps: whose update was made.
      skipped: whose was not, since it was not finite or a spike.
    """

    counts: Counts
    counts_here: Counts
    nll: Float64[np.ndarray, " O"]
    weight: Float64[np.ndarray, " O"]
    correct: Float64[np.ndarray, " O"]
    loss: float = 0.0
    grad_norm: float = 0.0
    steps: int = 0
    skipped: int = 0


def fresh() -> Interval:
    """An empty interval."""
    zeros = np.zeros(CAPACITY)
    none = zero_counts()
    return Interval(none, none, nll=zeros, weight=zeros, correct=zeros)


def is_empty(interval: Interval) -> bool:
    """Whether it has no step."""
    return interval.steps + interval.skipped == 0


def extend(interval: Interval, counts: Counts, metrics: StepMetrics) -> Interval:
    """The interval extended by one step.

    Args:
      interval: of the steps before.
      counts: of the rows that this host counts.
      metrics: of the step, on the host.
    """
    interval = interval._replace(counts_here=add(interval.counts_here, counts))
    if metrics.spike or not metrics.finite:
        return interval._replace(skipped=interval.skipped + 1)
    return interval._replace(
        nll=interval.nll + metrics.sums.nll,
        weight=interval.weight + metrics.sums.weight,
        correct=interval.correct + metrics.sums.correct,
        loss=interval.loss + float(metrics.loss),
        grad_norm=interval.grad_norm + float(metrics.grad_norm),
        steps=interval.steps + 1,
    )


def over_hosts(counts: Counts) -> Counts:
    """The sum of all hosts' counts; a collective."""
    return Counts(*over_processes(np.stack(counts)))


def together(interval: Interval) -> Interval:
    """The interval with the counts of all hosts; a collective."""
    counts = add(interval.counts, over_hosts(interval.counts_here))
    return interval._replace(counts=counts, counts_here=zero_counts())


def record(
    interval: Interval, loss_shares: Float[np.ndarray, " O"]
) -> dict[str, float]:
    """The interval as metrics: mean losses, and shares of each objective.

    Without a step that was not skipped there are no means.

    Args:
      interval: from `together`.
      loss_shares: of each objective.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        losses = {
            "loss": interval.nll / interval.weight,
            "accuracy": interval.correct / interval.weight,
        }
    seen = interval.counts.examples > 0
    shares = {**interval.counts.shares(), "loss": loss_shares}
    shares = {name: np.where(seen, share, math.nan) for name, share in shares.items()}
    means: dict[str, float] = {}
    if interval.steps:
        means["train/loss"] = interval.loss / interval.steps
        means["train/grad_norm"] = interval.grad_norm / interval.steps
    return {
        **means,
        "train/skipped": interval.skipped,
        **record_of("train", losses),
        **record_of("shares", shares),
    }


def to_json(interval: Interval) -> dict[str, Any]:
    """The interval, from `together`, as plain lists and numbers.

    JSON keeps floats exactly.
    """
    arrays = {name: getattr(interval, name).tolist() for name in _ARRAYS}
    numbers = {name: getattr(interval, name) for name in _NUMBERS}
    return {"counts": [x.tolist() for x in interval.counts], **arrays, **numbers}


def from_json(saved: dict[str, Any]) -> Interval:
    """The interval that `to_json` saved."""
    return Interval(
        counts=Counts(*(np.asarray(x, np.int64) for x in saved["counts"])),
        counts_here=zero_counts(),
        **{name: np.asarray(saved[name], np.float64) for name in _ARRAYS},
        **{name: saved[name] for name in _NUMBERS},
    )


_ARRAYS = ("nll", "weight", "correct")
_NUMBERS = ("loss", "grad_norm", "steps", "skipped")
