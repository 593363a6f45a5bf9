"""A score of a probe: its value beside chance, an interval and shallow baselines."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

Failure = Literal["drift", "continuation", "reconstruction"]

FAILURES: tuple[Failure, ...] = ("drift", "continuation", "reconstruction")
"""Long-form drift, incoherent continuation, unfaithful reconstruction."""

RESAMPLES = 1000
"""Of the bootstrap."""


class Score(NamedTuple):
    """What a probe measured of one model.

    Attributes:
      failure: that the probe is about.
      probe: its name, such as "minimal pairs".
      kind: what of it: a negative type, a distance, a rate of corruption.
      metric: what the value is: "accuracy", "AUC", "contradiction rate".
      value: of the metric; NaN where there was nothing to measure.
      low: lower end of the 95 % bootstrap interval over documents.
      high: upper end.
      chance: what a guess has; None where there is no such thing.
      better: whether more or less of it is better.
      mode: how the model was asked (`asking.Mode`), "a or b" where in several ways.
      trained: whether the model's mixture trains that mode.
      baselines: what shallow baselines have, by name; on all items, also those that
        the model's rows cannot hold.
      items: how many the value stands on.
      documents: from how many documents.
    """

    failure: Failure
    probe: str
    kind: str
    metric: str
    value: float
    low: float
    high: float
    chance: float | None
    better: Literal["higher", "lower"]
    mode: str
    trained: bool
    baselines: Mapping[str, float]
    items: int
    documents: int


Statistic = Callable[[Int[np.ndarray, " n"]], float]
"""Of some items, given by index and as often as they were drawn."""


def bootstrap(
    statistic: Statistic,
    documents: Int[np.ndarray, " N"] | Sequence[int],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> tuple[float, float, float]:
    """The value of a statistic and its 95 % percentile interval over documents.

    Documents are drawn with replacement, each with all of its items, because items of
    a document are not independent (Efron & Tibshirani 1993, §8).

    Args:
      statistic: of items.
      documents: which document each item is of, [N].
      seed: of the resamples.
      resamples: how many.

    Returns:
      `(value, low, high)`; NaN where there are no items, and where the statistic is.
    """
    documents, nothing = np.asarray(documents, np.int64), float("nan")
    if not documents.size:
        return nothing, nothing, nothing
    value = statistic(np.arange(len(documents)))
    _, which = np.unique(documents, return_inverse=True)
    count = int(which.max()) + 1
    chosen = np.random.default_rng(seed).integers(count, size=(resamples, count))
    if isinstance(statistic, Mean):
        drawn = statistic.resampled(which, chosen)
    else:
        own = [np.flatnonzero(which == n) for n in range(count)]
        drawn = [statistic(np.concatenate([own[n] for n in row])) for row in chosen]
    if np.isnan(drawn).all():
        return value, nothing, nothing
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return float(value), float(low), float(high)


class Mean(NamedTuple):
    """The mean of the items' values, as a statistic; quick to resample."""

    values: Float[np.ndarray, " N"]

    def __call__(self, items: Int[np.ndarray, " n"]) -> float:
        return float(np.mean(self.values[items]))

    def resampled(
        self, which: Int[np.ndarray, " N"], chosen: Int[np.ndarray, "R D"]
    ) -> Float[np.ndarray, " R"]:
        """Of the items of each row of documents, without listing them."""
        sums, sizes = np.bincount(which, self.values), np.bincount(which)
        return sums[chosen].sum(1) / sizes[chosen].sum(1)
