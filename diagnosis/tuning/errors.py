"""Standard errors of predictions."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .cross_validation import Validated
from .predictor import Scores, Shares


class Predicted(NamedTuple):
    """Predictions, and what they may be wrong by.

    Attributes:
      mean: of each mixture.
      own: the model's own standard error of a new score, scaled to the errors that it
        made out of fold.
      jackknife: the delete-a-fold jackknife error of the mean.
    """

    mean: Scores
    own: Scores
    jackknife: Scores


def predicted(model: Validated, scores: Scores, shares: Shares) -> Predicted:
    """A model's predictions with both errors."""
    ratio = (model.predicted - scores) / model.spread
    scale = float(np.sqrt(np.mean(ratio**2)))
    return Predicted(
        model.whole.mean(shares),
        scale * model.whole.spread(shares),
        jackknife(model, shares),
    )


def predictions(
    model: Validated, scores: Scores, shares: Shares
) -> tuple[Scores, Scores]:
    """A model's predictions and their standard errors, for a new score."""
    mean, own, jack = predicted(model, scores, shares)
    return mean, np.sqrt(own**2 + jack**2)


def jackknife(model: Validated, shares: Shares) -> Scores:
    """Delete-a-fold jackknife errors of a model's mean at each mixture."""
    return jackknife_of(
        [[fold.mean(shares) for fold in folds] for folds in model.folds]
    )


def jackknife_of(values: Sequence[Sequence[Scores]]) -> Scores:
    """The standard error of a figure from its values without each fold, by repeat."""
    deleted = np.array(values)  # repeats, folds, figures
    folds = deleted.shape[1]
    return np.sqrt(np.mean(np.var(deleted, axis=1), axis=0) * (folds - 1))
