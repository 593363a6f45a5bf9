"""What every model of a target has in common."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64

Shares = Float64[np.ndarray, "n K"]
Scores = Float64[np.ndarray, " n"]


@runtime_checkable
class Predictor(Protocol):
    """A model fitted to one target."""

    def mean(self, shares: Shares) -> Scores:
        """The expected score of each mixture."""
        ...

    def spread(self, shares: Shares) -> Scores:
        """How unsure the model is of each, on a scale of its own; above 0."""
        ...


class Learner(NamedTuple):
    """A kind of model.

    Attributes:
      name: in reports.
      about: what it is, in a few words.
      fit: makes a Predictor of mixtures and scores, with a seed for what is random.
    """

    name: str
    about: str
    fit: Callable[[Shares, Scores, int], Predictor]


def scale_of(scores: Scores) -> tuple[float, float]:
    """Mean and standard deviation, the latter 1 where all scores are alike."""
    deviation = float(np.std(scores))
    return float(np.mean(scores)), deviation if deviation > 0 else 1.0
