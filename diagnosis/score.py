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
      mode: how the model was asked (`asking.Mode`).
      trained: whether the model's mixture trains that mode.
      baselines: what shallow baselines have on the same items, by name.
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
    documents = np.asarray(documents, np.int64)
    if not documents.size:
        return (float("nan"),) * 3
    value = statistic(np.arange(len(documents)))
    own = [np.flatnonzero(documents == d) for d in np.unique(documents)]
    rng = np.random.default_rng(seed)
    drawn = [
        statistic(
            np.concatenate([own[i] for i in rng.integers(len(own), size=len(own))])
        )
        for _ in range(resamples)
    ]
    if np.isnan(drawn).all():
        return value, float("nan"), float("nan")
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return float(value), float(low), float(high)


def mean_of(values: Float[np.ndarray, " N"]) -> Statistic:
    """The mean of the items' values, as a statistic."""
    return lambda items: float(np.mean(values[items]))
