"""The best mixture under a model, where there is data.

Two limits on extrapolation: the mixture is a blend of observed ones (it lies in their
convex hull), and it is no farther from the nearest of them than 95 % of them are from
theirs.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64
from scipy.spatial.distance import cdist
from scipy.stats import t as student

from .assessment import CONSTANT, Assessed
from .cross_validation import FOLDS
from .errors import jackknife_of, predictions
from .predictor import Predictor, Shares
from .table import distinct
from .threads import one_thread

LIMITS = (
    "within the convex hull of the observed mixtures, and no farther from the nearest "
    "than 95 % of them are from theirs"
)

REACH = 0.95

TOLERANCE = 1e-9
"""Of distances and bounds: less is rounding."""

_STEPS = tuple(0.5**n for n in range(1, 9))
_STARTS = 3
_MOST_DIRECTIONS = 200
_MOST_MOVES = 60


class Optimum(NamedTuple):
    """The best mixture found, beside the best of the table.

    Attributes:
      mixture: its shares.
      predicted: its score.
      error: standard error of that.
      row: of the table, from 0: the one with the best score.
      observed: that score.
      reference: row with the best prediction, which the gain is measured from: the
        best score is lucky as well as good.
      gain: predicted difference from the reference, positive where it is better.
      gain_low: lower end of its 95 % interval (delete-a-fold jackknife).
      gain_high: upper end.
      evidence: the verdict in a sentence.
    """

    mixture: Float64[np.ndarray, " K"]
    predicted: float
    error: float
    row: int
    observed: float
    reference: int
    gain: float
    gain_low: float
    gain_high: float
    evidence: str

    @property
    def apart(self) -> bool:
        """Whether it is better than the best observed mixture beyond chance."""
        return self.gain_low > 0


@one_thread()
def optimum(assessed: Assessed, shares: Shares, *, seed: int = 0) -> Optimum | None:
    """The best mixture under the trusted model; None without one.

    Args:
      assessed: a target.
      shares: of the table that it was assessed on.
      seed: of the search.
    """
    name = assessed.verdict.model
    if name is None or name == CONSTANT.name:
        return None
    model = assessed.validated[name]
    sign = -1.0 if assessed.maximise else 1.0
    found = _search(model.whole, distinct(shares), sign, seed)
    row = int(np.argmin(sign * assessed.scores))
    reference = int(np.argmin(sign * model.whole.mean(shares)))
    pair = np.stack([shares[reference], found])
    gain = _gain(model.whole, pair, sign)
    folds = [[_gain(fold, pair, sign) for fold in each] for each in model.folds]
    width = float(student.ppf(0.975, FOLDS - 1) * jackknife_of(folds)[0])
    predicted, error = predictions(model, assessed.scores, found[None])
    low, high = float(gain[0]) - width, float(gain[0]) + width
    return Optimum(
        *(found, float(predicted[0]), float(error[0])),
        *(row, float(assessed.scores[row]), reference),
        *(float(gain[0]), low, high),
        _evidence(float(gain[0]), low, high),
    )


def _gain(model: Predictor, pair: Shares, sign: float) -> Float64[np.ndarray, " 1"]:
    reference, found = sign * model.mean(pair)
    return np.array([reference - found])


def _evidence(gain: float, low: float, high: float) -> str:
    measured = f"predicted gain {gain:.4g} (95 % interval {low:.4g} – {high:.4g})"
    if low > 0:
        return f"better than the best observed mixture: {measured}."
    return f"no evidence that it beats the best observed mixture: {measured}."


def _search(
    model: Predictor, observed: Shares, sign: float, seed: int
) -> Float64[np.ndarray, " K"]:
    """Moves from the best observed mixtures towards others, while it helps."""
    directions = _directions(observed, seed)
    reach = reach_of(observed)
    values = sign * model.mean(observed)
    found: list[tuple[float, np.ndarray]] = []
    for start in np.argsort(values, kind="stable")[:_STARTS]:
        at, value = observed[start], float(values[start])
        for _ in range(_MOST_MOVES):
            moves = [(1 - step) * at + step * directions for step in _STEPS]
            candidates = np.concatenate(moves)
            candidates = candidates[cdist(candidates, observed).min(axis=1) <= reach]
            if not len(candidates):  # mixtures so near to each other leave no way
                break
            scores = sign * model.mean(candidates)
            best = int(np.argmin(scores))
            if scores[best] >= value - 1e-6 * abs(value):
                break
            at, value = candidates[best], float(scores[best])
        found.append((value, at))
    return min(found, key=lambda pair: pair[0])[1]


def _directions(observed: Shares, seed: int) -> Shares:
    """Observed mixtures to move towards: the extremes, and others drawn at random."""
    extremes = [np.argmax(observed, axis=0), np.argmin(observed, axis=0)]
    drawn = np.random.default_rng(seed).permutation(len(observed))
    chosen = dict.fromkeys(int(n) for n in (*extremes[0], *extremes[1], *drawn))
    return observed[list(chosen)[: max(_MOST_DIRECTIONS, 2 * observed.shape[1])]]


def near(shares: Shares, observed: Shares) -> Bool[np.ndarray, " n"]:
    """Which mixtures are within reach of an observed one."""
    return cdist(shares, observed).min(axis=1) <= reach_of(observed) + TOLERANCE


def reach_of(observed: Shares) -> float:
    """The distance to the nearest other mixture that 95 % of them keep within."""
    distances = cdist(observed, observed)
    np.fill_diagonal(distances, np.inf)
    return float(np.quantile(distances.min(axis=1), REACH))
