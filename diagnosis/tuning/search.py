"""The mixture whose worst failure gains most, within a bound on the own loss.

Mixtures are blends of observed ones, which keeps both simplexes (of examples, and of
the loss) and the convex hull, and lie no farther from the nearest observed mixture than
95 % of these from theirs. Blends drawn at random give the starts; from each, SciPy's
SLSQP moves the weights of the blend.
"""

import functools

import numpy as np
from jaxtyping import Float64
from scipy.optimize import minimize

from .optimum import TOLERANCE, near
from .predictor import Shares
from .worst import Judged, Worst

DRAWN = 3000
"""Blends that are tried first."""

STARTS = 3

_ANCHORS = 16
_STEP = 1e-4
_SLACK = 1e-6
"""SLSQP misses its constraints by about a tenth of this, on either side."""
_MOST_STEPS = 20


def blends(observed: Shares, *, count: int, seed: int) -> Shares:
    """Observed mixtures, and blends of two to four of them, within reach."""
    rng = np.random.default_rng(seed)
    size = min(4, len(observed))
    parts = observed[rng.integers(len(observed), size=(count, size))]
    weights = rng.dirichlet(np.full(size, 0.5), count)
    drawn = np.einsum("np,npk->nk", weights, parts)
    drawn = drawn[near(drawn, observed)]
    return np.concatenate([observed, drawn])


def search(
    worst: Worst, observed: Shares, drawn: Shares, judged: Judged, *, most_loss: float
) -> Float64[np.ndarray, " K"] | None:
    """The best mixture by the `BOUNDS`; None if none is within the bound on the loss.

    Args:
      worst: what is improved.
      observed: different mixtures of the table.
      drawn: `blends` of them.
      judged: what is predicted of these.
      most_loss: own loss that may be lost: .02 for 2 %.
    """
    within = np.flatnonzero(judged.loss_high <= 1 + most_loss)
    if not within.size:
        return None
    order = within[np.argsort(-judged.worst_low[within], kind="stable")]
    starts = drawn[order[:STARTS]]
    found = [_polished(worst, observed, start, most_loss) for start in starts]
    every = np.stack([*starts, *(f for f in found if f is not None)])
    again = worst.judge(every)
    allowed = (again.loss_high <= 1 + most_loss + TOLERANCE) & near(every, observed)
    return every[int(np.argmax(np.where(allowed, again.worst_low, -np.inf)))]


def _polished(
    worst: Worst, observed: Shares, start: Float64[np.ndarray, " K"], most_loss: float
) -> Float64[np.ndarray, " K"] | None:
    """A start moved by SLSQP: the least gain t grows while every lower end is above it.

    The variables are the weights of a blend, of the start and of its anchors, and t.
    """
    anchors = np.concatenate([start[None], _anchors(observed, start)])
    size = len(anchors)

    def margins(shares: Shares) -> Float64[np.ndarray, "n C"]:
        judged = worst.judge(shares)
        spare = 1 + most_loss - _SLACK - judged.loss_high
        return np.column_stack([judged.lows, spare])

    @functools.cache  # SciPy asks for values and slopes in turn
    def at(weights: bytes) -> tuple[np.ndarray, np.ndarray]:
        """The margins of a blend, and their slopes towards each anchor."""
        here = np.frombuffer(weights) @ anchors
        moved = here + _STEP * (anchors - here)  # a blend all the while
        base, *others = margins(np.concatenate([here[None], moved]))
        return base, (np.array(others) - base).T / _STEP

    least = np.ones(len(worst.failures) + 1)
    least[-1] = 0.0  # the bound on the loss knows nothing of t

    def constraints(x: np.ndarray) -> np.ndarray:
        return at(x[:size].tobytes())[0] - x[size] * least

    def slopes(x: np.ndarray) -> np.ndarray:
        return np.column_stack([at(x[:size].tobytes())[1], -least])

    first = np.zeros(size + 1)
    first[0] = 1.0
    first[size] = constraints(first)[:-1].min()
    ascent = np.zeros(size + 1)
    ascent[size] = -1.0
    total = np.append(np.ones(size), 0.0)
    result = minimize(
        lambda x: -x[size],
        first,
        jac=lambda x: ascent,
        bounds=[(0.0, 1.0)] * size + [(None, None)],
        constraints=[
            {"type": "eq", "fun": lambda x: x[:size].sum() - 1, "jac": lambda x: total},
            {"type": "ineq", "fun": constraints, "jac": slopes},
        ],
        method="SLSQP",
        options={"maxiter": _MOST_STEPS, "ftol": 1e-6},
    )
    weights = np.clip(result.x[:size], 0.0, None)
    if not (np.isfinite(weights).all() and weights.sum() > 0):
        return None
    return weights @ anchors / weights.sum()


def _anchors(observed: Shares, start: Float64[np.ndarray, " K"]) -> Shares:
    """The extremes of the observed mixtures, and those nearest to the start."""
    extremes = np.argmax(observed, axis=0)
    nearest = np.argsort(np.linalg.norm(observed - start, axis=1), kind="stable")
    chosen = list(dict.fromkeys(int(n) for n in (*extremes, *nearest)))
    return observed[chosen[: max(_ANCHORS, len(extremes))]]
