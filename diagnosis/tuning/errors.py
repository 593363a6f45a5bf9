"""Standard errors of predictions."""

from collections.abc import Sequence

import numpy as np

from .cross_validation import Validated
from .predictor import Scores, Shares


def predictions(
    model: Validated, scores: Scores, shares: Shares
) -> tuple[Scores, Scores]:
    """A model's predictions and their standard errors.

    The error of a new score: the model's own spread, scaled to the errors that it made
    out of fold, and the delete-a-fold jackknife of its mean.
    """
    ratio = (model.predicted - scores) / model.spread
    scale = float(np.sqrt(np.mean(ratio**2)))
    own = scale * model.whole.spread(shares)
    return model.whole.mean(shares), np.sqrt(own**2 + jackknife(model, shares) ** 2)


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
