"""How well predictions order and meet scores, with weights of the rows.

Every figure is computed for many weightings at once: all ones give the figure itself,
the counts of a bootstrap resample give one draw of it.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from .predictor import Scores

Weights = Float64[np.ndarray, "draws n"]
Draws = Float64[np.ndarray, " draws"]


class Interval(NamedTuple):
    """A figure and its bootstrap interval.

    Attributes:
      value: of the rows as they are; NaN where it is not defined.
      low: lower end.
      high: upper end.
    """

    value: float
    low: float
    high: float


def resamples(groups: Int64[np.ndarray, " n"], *, draws: int, seed: int) -> Weights:
    """Weights of the rows: ones first, then the counts of bootstrap resamples.

    Rows of one group, runs of the same mixture, are drawn together.
    """
    rng = np.random.default_rng(seed)
    count = int(groups.max()) + 1
    drawn = rng.multinomial(count, np.full(count, 1.0 / count), size=draws - 1)
    weights = np.vstack([np.ones(count), drawn.astype(np.float64)])
    return weights[:, groups]


def interval(draws: Draws, *, coverage: float = 0.95) -> Interval:
    """The first draw, and the interval of the others."""
    finite = draws[1:][np.isfinite(draws[1:])]
    if not (np.isfinite(draws[0]) and finite.size):
        return Interval(float("nan"), float("nan"), float("nan"))
    tail = (1 - coverage) / 2
    low, high = np.quantile(finite, [tail, 1 - tail])
    return Interval(float(draws[0]), float(low), float(high))


def root_mean_square(errors: Scores, weights: Weights) -> Draws:
    """Weighted root mean square of errors."""
    return np.sqrt(weights @ errors**2 / weights.sum(axis=1))


def spearman(a: Scores, b: Scores, weights: Weights) -> Draws:
    """Spearman's rank correlation; NaN where all of one side are tied."""
    ranks_a, ranks_b = _ranks(a, weights), _ranks(b, weights)
    # Mid-ranks have the same weighted mean whatever the ties: half of the weight.
    middle = weights.sum(axis=1, keepdims=True) / 2
    ranks_a, ranks_b = ranks_a - middle, ranks_b - middle
    above = np.einsum("dn,dn,dn->d", weights, ranks_a, ranks_b)
    below = np.einsum("dn,dn->d", weights, ranks_a**2)
    below = below * np.einsum("dn,dn->d", weights, ranks_b**2)
    return ratio(above, np.sqrt(below))


def _ranks(values: Scores, weights: Weights) -> Weights:
    """Mid-ranks under every weighting: the weight below, and half of that alike."""
    _, inverse = np.unique(values, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    starts = np.flatnonzero(np.diff(inverse[order], prepend=-1))
    alike = np.add.reduceat(weights[:, order], starts, axis=1)
    middle = np.cumsum(alike, axis=1) - alike / 2
    return middle[:, inverse]


def kendall(a: Scores, b: Scores, weights: Weights) -> Draws:
    """Kendall's τ-b; NaN where all of one side are tied."""
    signs_a = np.sign(a[:, None] - a[None, :]).astype(np.float32)
    signs_b = np.sign(b[:, None] - b[None, :]).astype(np.float32)
    # Counts of pairs are whole numbers: float32 is exact to 2^24 of a row's.
    counts = weights.astype(np.float32)

    def pairs(matrix: np.ndarray) -> Draws:
        return np.einsum("dn,dn->d", (counts @ matrix).astype(np.float64), weights)

    below = pairs(np.abs(signs_a)) * pairs(np.abs(signs_b))
    return ratio(pairs(signs_a * signs_b), np.sqrt(below))


def regret(
    predicted: Scores, scores: Scores, weights: Weights, *, maximise: bool
) -> Draws:
    """By how much the mixture predicted to be best misses the best score; 0 is best.

    Of several that are predicted to be best, the mean: any of them would be chosen.
    """
    sign = -1.0 if maximise else 1.0
    absent = np.where(weights > 0, 0.0, np.inf)
    values = sign * predicted + absent
    chosen = weights * (values == values.min(axis=1, keepdims=True))
    best = np.min(sign * scores + absent, axis=1)
    return chosen @ (sign * scores) / chosen.sum(axis=1) - best


def ratio(above: Draws, below: Draws) -> Draws:
    """Quotients; NaN where the divisor is 0."""
    undefined = below <= 0
    return np.where(undefined, np.nan, above / np.where(undefined, 1.0, below))
