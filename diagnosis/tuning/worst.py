"""The worst of several failures, and the incumbent's own loss, of any mixture."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from .against import Against
from .predictor import Scores, Shares

BOUNDS = (
    "the lower ends of the 95 % intervals of the failures' gains, and the upper end of "
    "the own loss's"
)


class Judged(NamedTuple):
    """Mixtures by what is predicted of them; n mixtures, F failures.

    Attributes:
      gains: of each failure, in standard deviations among the table's mixtures.
      lows: lower ends of their intervals.
      highs: upper ends.
      loss: own loss over the incumbent's; 1.02 is 2 % more.
      loss_low: lower end of its interval.
      loss_high: upper end.
    """

    gains: Float64[np.ndarray, "n F"]
    lows: Float64[np.ndarray, "n F"]
    highs: Float64[np.ndarray, "n F"]
    loss: Scores
    loss_low: Scores
    loss_high: Scores

    @property
    def worst(self) -> Scores:
        """The least gain of the failures."""
        return self.gains.min(axis=1)

    @property
    def worst_low(self) -> Scores:
        """The least lower end: every failure gains more than this."""
        return self.lows.min(axis=1)


@dataclasses.dataclass(frozen=True)
class Worst:
    """Judges mixtures by the worst failure and the own loss.

    Attributes:
      failures: to improve, at least one.
      loss: the incumbent's own; its scale is that of the incumbent, so that a gain of
        -.02 is 2 % more loss.
    """

    failures: Sequence[Against]
    loss: Against

    def judge(self, shares: Shares) -> Judged:
        """Predictions of mixtures, with intervals."""
        gains, widths = (
            np.stack(columns, axis=1)
            for columns in zip(*(f.gains(shares) for f in self.failures), strict=True)
        )
        loss, width = self.loss.gains(shares)
        ratio = 1.0 - loss
        return Judged(
            *(gains, gains - widths, gains + widths),
            *(ratio, ratio - width, ratio + width),
        )
