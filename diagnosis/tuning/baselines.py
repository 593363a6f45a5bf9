"""What a model must beat: the mean, a linear fit, gradient-boosted trees."""

import dataclasses
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression

from .predictor import Scores, Shares


@dataclasses.dataclass(frozen=True)
class Constant:
    """The mean of the scores, whatever the mixture."""

    value: float

    def mean(self, shares: Shares) -> Scores:
        """The mean of the scores."""
        return np.full(len(shares), self.value)

    def spread(self, shares: Shares) -> Scores:
        """The same everywhere."""
        return np.ones(len(shares))


def fit_constant(shares: Shares, scores: Scores, seed: int) -> Constant:
    """Takes the mean."""
    del shares, seed
    return Constant(float(np.mean(scores)))


@dataclasses.dataclass(frozen=True)
class Regressor:
    """A regressor of scikit-learn."""

    fitted: Any

    def mean(self, shares: Shares) -> Scores:
        """Its prediction."""
        return self.fitted.predict(shares)

    def spread(self, shares: Shares) -> Scores:
        """The same everywhere."""
        return np.ones(len(shares))


def fit_linear(shares: Shares, scores: Scores, seed: int) -> Regressor:
    """Least squares."""
    del seed
    return Regressor(LinearRegression().fit(shares, scores))


def fit_trees(shares: Shares, scores: Scores, seed: int) -> Regressor:
    """Gradient-boosted trees of 8 leaves (as RegMix uses, arXiv:2407.01492)."""
    trees = HistGradientBoostingRegressor(
        learning_rate=0.08,
        max_iter=150,
        max_leaf_nodes=8,
        min_samples_leaf=max(2, min(10, len(scores) // 20)),
        early_stopping=False,  # pyright: ignore[reportArgumentType]
        random_state=seed,
    )
    return Regressor(trees.fit(shares, scores))
