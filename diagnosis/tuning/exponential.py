"""Exponential mixing laws (Ye et al. 2024, arXiv:2403.16952).

    L(r) = c + k exp(Σ_i t_i r_i)

Shares sum to 1, so that k is a shift of every t_i: it is fitted as its sign alone,
+1 for a score that falls towards c and -1 for one that rises towards it. Parameters
minimise Huber's loss, which one diverged proxy does not move, from several starts: for
a given c the law is linear in log|L - c|.
"""

import dataclasses

import numpy as np
from jaxtyping import Float64
from scipy.optimize import OptimizeResult, least_squares

from .predictor import Scores, Shares

ASYMPTOTES = (0.05, 0.3, 1.0, 5.0)
"""Distances of c from the most extreme score in the starts, in ranges of the scores."""

_RIDGE = 1e-2
_HUBER = 1.345
_PLAUSIBLE = 4.0
_ROUNDS = 3
_FAR = 6.0


@dataclasses.dataclass(frozen=True)
class ExponentialLaw:
    """A fitted law.

    Attributes:
      c: the score that the law tends to.
      k: positive or negative.
      t: by how much each component moves it; they sum to 0.
    """

    c: float
    k: float
    t: Float64[np.ndarray, " K"]

    def mean(self, shares: Shares) -> Scores:
        """The law."""
        return self.c + self.k * np.exp(shares @ self.t)

    def spread(self, shares: Shares) -> Scores:
        """The same everywhere."""
        return np.ones(len(shares))


def fit_exponential(shares: Shares, scores: Scores, seed: int) -> ExponentialLaw:
    """Fits a law; nothing is random."""
    del seed
    centre, scale = _robust_scale(scores)
    y = (scores - centre) / scale
    starts = []
    for k in (1.0, -1.0):
        of_sign = [
            (_median_error(x, k, shares, y), k, x) for x in _starts(shares, y, k)
        ]
        starts.append(min(of_sign, key=lambda start: start[0]))
    threshold = max(_HUBER * 1.4826 * min(error for error, *_ in starts), 1e-6)
    fits = [(k, _polish(x, k, shares, y, threshold)) for _, k, x in starts]
    sign, best = min(fits, key=lambda fit: fit[1].cost)
    shift = float(np.mean(best.x[1:]))
    return ExponentialLaw(
        c=float(centre + scale * best.x[0]),
        k=float(scale * sign * np.exp(shift)),
        t=best.x[1:] - shift,
    )


def _robust_scale(scores: Scores) -> tuple[float, float]:
    """Median and the deviation that the quartiles of a normal distribution have."""
    low, middle, high = np.quantile(scores, [0.25, 0.5, 0.75])
    deviation = (high - low) / 1.349
    if deviation == 0:
        deviation = float(np.std(scores)) or 1.0
    return float(middle), float(deviation)


def _starts(shares: Shares, y: Scores, sign: float) -> list[Float64[np.ndarray, " K1"]]:
    """Parameters (c, t) of log-linear fits at several c, beyond what is plausible."""
    y = sign * np.clip(y, -_PLAUSIBLE, _PLAUSIBLE)
    starts = []
    for distance in ASYMPTOTES:
        c = float(np.min(y)) - distance * max(float(np.ptp(y)), 1e-9)
        # Errors of a logarithm are relative: far from c they count for less.
        weights, t = y - c, np.zeros(shares.shape[1])
        for _ in range(_ROUNDS):
            sides = weights[:, None] * shares, weights * np.log(y - c)
            t = np.linalg.lstsq(*sides, rcond=1e-6)[0]
            errors = np.abs(c + np.exp(shares @ t) - y)
            weights = (y - c) * (errors <= _FAR * np.median(errors))
        starts.append(np.append(sign * c, t))
    return starts


def _residuals(x: np.ndarray, sign: float, shares: Shares, y: Scores) -> np.ndarray:
    return x[0] + sign * np.exp(np.minimum(shares @ x[1:], 50.0)) - y


def _median_error(x: np.ndarray, sign: float, shares: Shares, y: Scores) -> float:
    return float(np.median(np.abs(_residuals(x, sign, shares, y))))


def _polish(
    start: np.ndarray, sign: float, shares: Shares, y: Scores, threshold: float
) -> OptimizeResult:
    """Minimises Huber's loss from a start, with a weak pull of t towards its mean."""
    components = shares.shape[1]
    pull = _RIDGE * (np.eye(components) - 1.0 / components)

    def residuals(x: np.ndarray) -> np.ndarray:
        return np.append(_residuals(x, sign, shares, y), pull @ x[1:])

    def jacobian(x: np.ndarray) -> np.ndarray:
        slopes = sign * np.exp(np.minimum(shares @ x[1:], 50.0))[:, None] * shares
        top = np.column_stack([np.ones(len(y)), slopes])
        return np.vstack([top, np.column_stack([np.zeros(components), pull])])

    return least_squares(
        residuals,
        start,
        jacobian,  # pyright: ignore[reportArgumentType]
        loss="huber",
        f_scale=threshold,
        x_scale="jac",
        max_nfev=60,
        ftol=1e-7,
        xtol=1e-7,
        gtol=1e-7,
    )
