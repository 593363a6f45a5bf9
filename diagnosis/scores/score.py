"""Scores of probes, with chance level, confidence interval and shallow baselines."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol, runtime_checkable

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


@runtime_checkable
class Resampled(Protocol):
    """A statistic that needs no list of the items drawn: some 100 times faster."""

    def __call__(self, items: Int[np.ndarray, " n"]) -> float: ...

    def resampled(
        self, which: Int[np.ndarray, " N"], chosen: Int[np.ndarray, "R D"]
    ) -> Float[np.ndarray, " R"]:
        """The figure of every resample.

        Args:
          which: the document of each item, counted from 0.
          chosen: the documents of each resample, as often as they were drawn.
        """
        ...


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
      statistic: of items; fast if it is `Resampled`.
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
    if isinstance(statistic, Resampled):
        drawn = statistic.resampled(which, chosen)
    else:
        drawn = [statistic(items) for items in _items(which, chosen)]
    if np.isnan(drawn).all():
        return value, nan, nan
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return float(value), float(low), float(high)


def _items(
    which: Int[np.ndarray, " N"], chosen: Int[np.ndarray, "R D"]
) -> Iterator[Int[np.ndarray, " n"]]:
    """The items of each resample, document by document."""
    by_document, sizes = np.argsort(which, kind="stable"), np.bincount(which)
    starts = np.cumsum(sizes) - sizes
    for row in chosen:
        ends = np.cumsum(sizes[row])
        shift = np.repeat(starts[row] - ends + sizes[row], sizes[row])
        yield by_document[np.arange(ends[-1]) + shift]


def times_drawn(
    which: Int[np.ndarray, " N"], chosen: Int[np.ndarray, "R D"]
) -> Int[np.ndarray, "R N"]:
    """How often each item is in each resample."""
    documents = int(which.max()) + 1
    counts = [np.bincount(row, minlength=documents) for row in chosen]
    return np.stack(counts)[:, which]


class Ratio(NamedTuple):
    """The sum of one value of the items over that of another; NaN if that is 0."""

    numerators: Float[np.ndarray, " N"]
    denominators: Float[np.ndarray, " N"]

    def __call__(self, items: Int[np.ndarray, " n"]) -> float:
        below = self.denominators[items].sum()
        return float(self.numerators[items].sum() / below) if below else float("nan")

    def resampled(
        self, which: Int[np.ndarray, " N"], chosen: Int[np.ndarray, "R D"]
    ) -> Float[np.ndarray, " R"]:
        """The ratio of every resample, from each document's sums."""
        above, below = (np.bincount(which, values)[chosen].sum(1) for values in self)
        return np.divide(
            above, below, out=np.full(len(chosen), np.nan), where=below != 0
        )


class Mean(NamedTuple):
    """The mean of the items' values."""

    values: Float[np.ndarray, " N"]

    def __call__(self, items: Int[np.ndarray, " n"]) -> float:
        return float(np.mean(self.values[items]))

    def resampled(
        self, which: Int[np.ndarray, " N"], chosen: Int[np.ndarray, "R D"]
    ) -> Float[np.ndarray, " R"]:
        """The mean of every resample, from each document's sum and number of items."""
        sums, sizes = np.bincount(which, self.values), np.bincount(which)
        return sums[chosen].sum(1) / sizes[chosen].sum(1)
