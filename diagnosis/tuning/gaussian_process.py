"""A Gaussian process over mixtures, fitted with scikit-learn.

A linear trend, a Matérn 5/2 kernel with a length scale for each component, and white
noise. Its inputs are the square roots of the shares, whose distance is Hellinger's:
from 0 to 1 % is a larger change than from 50 to 51 %.
"""

import dataclasses
import warnings

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    ConstantKernel,
    DotProduct,
    Matern,
    WhiteKernel,
)

from .predictor import Scores, Shares, scale_of

MOST_TUNED = 150
"""Rows, drawn at random, whose likelihood chooses the kernel: it costs n³."""

MOST_CONDITIONED = 2000
"""Rows, drawn at random, that a prediction rests on."""

_STEPS = 15


@dataclasses.dataclass(frozen=True)
class GaussianProcess:
    """A fitted process, and the scale of its scores."""

    process: GaussianProcessRegressor
    centre: float
    scale: float

    def mean(self, shares: Shares) -> Scores:
        """The posterior mean."""
        mean = np.asarray(self.process.predict(np.sqrt(shares)))
        return self.centre + self.scale * mean

    def spread(self, shares: Shares) -> Scores:
        """The posterior standard deviation of a new score, noise included."""
        _, spread, *_ = self.process.predict(np.sqrt(shares), return_std=True)
        return self.scale * np.asarray(spread)


def fit_gaussian_process(shares: Shares, scores: Scores, seed: int) -> GaussianProcess:
    """Chooses a kernel by its marginal likelihood, and conditions on the rows."""
    centre, scale = scale_of(scores)
    x, y = np.sqrt(shares), (scores - centre) / scale
    order = np.random.default_rng(seed).permutation(len(y))
    few, most = order[:MOST_TUNED], order[:MOST_CONDITIONED]
    with warnings.catch_warnings():
        # A bound that is reached, or the limit of steps: both are meant.
        warnings.simplefilter("ignore", ConvergenceWarning)
        tuned = GaussianProcessRegressor(
            _kernel(x.shape[1]),
            optimizer=_search,  # pyright: ignore[reportArgumentType]
            alpha=1e-8,
        ).fit(x[few], y[few])
        process = GaussianProcessRegressor(
            tuned.kernel_,
            optimizer=None,  # pyright: ignore[reportArgumentType]
            alpha=1e-8,
        ).fit(x[most], y[most])
    return GaussianProcess(process, centre, scale)


def _kernel(components: int):
    """In units of the scores' standard deviation and of the square roots of shares."""
    curve = ConstantKernel(1.0, (1e-2, 1e2)) * Matern(
        np.full(components, 1.0),  # pyright: ignore[reportArgumentType]
        (5e-2, 3e1),
        nu=2.5,
    )
    trend = ConstantKernel(1.0, (1e-3, 1e2)) * DotProduct(0.1, sigma_0_bounds="fixed")
    return curve + trend + WhiteKernel(0.05, (1e-6, 2.0))


def _search(objective, start: np.ndarray, bounds: np.ndarray):
    """L-BFGS with a limit of steps."""
    found = minimize(
        objective,
        start,
        jac=True,
        bounds=bounds,
        method="L-BFGS-B",
        options={"maxiter": _STEPS},
    )
    return found.x, found.fun
