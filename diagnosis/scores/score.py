"""Scores of probes, with chance level, confidence interval and shallow baselines."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

RESAMPLES = 1000
"""Resamples of the bootstrap."""


class Score(NamedTuple):
    """A measurement of one model.

    Attributes:
      failure: that the probe measures; "" until it is run for one (`battery`).
      probe: its name, such as "minimal pairs".
      kind: of items: a type of negative, a distance, a rate of corruption.
      metric: "accuracy", "AUC", "contradiction rate".
      value: of the metric; NaN if there was nothing to measure.
      low: lower end of the 95 % bootstrap interval over documents.
      high: upper end.
      chance: chance level; None if there is none.
      better: whether higher or lower values are better.
      mode: in which the model was queried (`asking.Mode`); "a or b" for several.
      trained: whether the model's mixture trains that mode.
      baselines: values of shallow baselines by name, on all items, including those
        that do not fit the model's rows.
      items: number of items.
      documents: number of documents that they are from.
    """

    failure: str
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
"""A figure of items, given by index and repeated as often as they were drawn."""


def bootstrap(
    statistic: Statistic,
    documents: Int[np.ndarray, " N"] | Sequence[int],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> tuple[float, float, float]:
    """A statistic and its 95 % percentile interval, by a bootstrap over documents.

    Documents are drawn with replacement, each with all of its items, since items of one
    document are not independent (Efron & Tibshirani 1993, §8).

    Args:
      statistic: of items.
      documents: the document of each item, [N].
      seed: of the resamples.
      resamples: number of resamples.

    Returns:
      `(value, low, high)`; NaN without items, or where the statistic is NaN.
    """
    documents, nan = np.asarray(documents, np.int64), float("nan")
    if not documents.size:
        return nan, nan, nan
    value = statistic(np.arange(len(documents)))
    _, which = np.unique(documents, return_inverse=True)
    count = int(which.max()) + 1
    chosen = np.random.default_rng(seed).integers(count, size=(resamples, count))
    if isinstance(statistic, Mean):
        drawn = statistic.resampled(which, chosen)
    else:
        items = [np.flatnonzero(which == n) for n in range(count)]
        drawn = [statistic(np.concatenate([items[n] for n in row])) for row in chosen]
    if np.isnan(drawn).all():
        return value, nan, nan
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return float(value), float(low), float(high)


class Mean(NamedTuple):
    """The mean of the items' values: a statistic that is fast to resample."""

    values: Float[np.ndarray, " N"]

    def __call__(self, items: Int[np.ndarray, " n"]) -> float:
        return float(np.mean(self.values[items]))

    def resampled(
        self, which: Int[np.ndarray, " N"], chosen: Int[np.ndarray, "R D"]
    ) -> Float[np.ndarray, " R"]:
        """The means of rows of drawn documents, without listing their items."""
        sums, sizes = np.bincount(which, self.values), np.bincount(which)
        return sums[chosen].sum(1) / sizes[chosen].sum(1)
