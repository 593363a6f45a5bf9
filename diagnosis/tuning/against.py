"""Predicted scores of mixtures against the incumbent's measured ones, with intervals.

The gain of a mixture is its predicted score less the mean of the incumbent's runs, in
units of `scale`, positive where it is better. The half-width of its 95 % interval joins

- the model's own error at the mixture, as large as out of fold, without the noise of a
  single run (where runs of one mixture show it): the question is the mean of runs;
- the delete-a-fold jackknife of the model, with Student's quantile of its folds;
- the noise of the incumbent's mean.
"""

import dataclasses

import numpy as np
from jaxtyping import Float64
from scipy.stats import norm, t as student

from .assessment import Assessed
from .cross_validation import FOLDS, Validated
from .errors import predicted
from .predictor import Scores, Shares
from .table import groups_of, is_mixture

COVERAGE = 0.95

_NORMAL = float(norm.ppf(0.5 + COVERAGE / 2))
_STUDENT = float(student.ppf(0.5 + COVERAGE / 2, FOLDS - 1))


@dataclasses.dataclass(frozen=True)
class Against:
    """One target, its trusted model, and the incumbent to compare with.

    Attributes:
      target: its name.
      maximise: whether higher is better.
      model: that predicts it.
      scores: that the model was fitted to.
      incumbent: mean of its runs.
      runs: number of these.
      noise: standard deviation among runs of one mixture; None if no mixture has two.
      scale: of gains, in units of the score.
    """

    target: str
    maximise: bool
    model: Validated
    scores: Scores
    incumbent: float
    runs: int
    noise: float | None
    scale: float

    def gain(self, scores: Scores) -> Scores:
        """By how much scores are better than the incumbent's, over the scale."""
        return (scores - self.incumbent) / (
            self.scale if self.maximise else -self.scale
        )

    def gains(self, shares: Shares) -> tuple[Scores, Scores]:
        """Predicted gains of mixtures, and the half-widths of their intervals."""
        means, errors, jack = predicted(self.model, self.scores, shares)
        own = errors**2
        # Of unknown noise: a run of the incumbent may be as wrong as a prediction.
        noise = own if self.noise is None else np.full_like(own, self.noise**2)
        known = 0.0 if self.noise is None else self.noise**2
        variance = np.maximum(own - known, 0.0) + noise / self.runs
        width = np.sqrt(_NORMAL**2 * variance + (_STUDENT * jack) ** 2)
        return self.gain(means), width / self.scale


def against(
    assessed: Assessed,
    shares: Shares,
    incumbent: Float64[np.ndarray, " K"],
    *,
    scale: float | None = None,
) -> Against | None:
    """A target against the incumbent; None if no model of it is trusted.

    Args:
      assessed: the target.
      shares: of the table that it was assessed on, the incumbent's runs included.
      incumbent: its shares.
      scale: of gains; None for the standard deviation of the score among the mixtures
        of the table: the differences that mixing makes.
    """
    if assessed.verdict.model is None:
        return None
    runs = np.flatnonzero(is_mixture(shares, incumbent))
    mean = float(assessed.scores[runs].mean())
    return Against(
        assessed.target,
        assessed.maximise,
        assessed.validated[assessed.verdict.model],
        assessed.scores,
        mean,
        len(runs),
        assessed.noise,
        spread_of(assessed.scores, shares) if scale is None else scale,
    )


def spread_of(scores: Scores, shares: Shares) -> float:
    """Standard deviation of the mean scores of the different mixtures."""
    groups = groups_of(shares)
    means = np.bincount(groups, weights=scores) / np.bincount(groups)
    return float(np.std(means)) or 1.0
