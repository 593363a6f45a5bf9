"""Repeated K-fold cross-validation of every model of a target."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from ...objectives.errors import UsageError
from .predictor import Learner, Predictor, Scores, Shares

FOLDS = 5

_ROWS_REPEATED = 500
_MOST_REPEATS = 3


class Validated(NamedTuple):
    """A model fitted to all rows but a fold, again and again, and to all rows.

    Attributes:
      name: of the model.
      predicted: of every row by the model that had not seen it, in each repeat.
      spread: of the same model, on its own scale.
      folds: the fitted models, one sequence a repeat.
      whole: fitted to all rows.
    """

    name: str
    predicted: Float64[np.ndarray, "repeats n"]
    spread: Float64[np.ndarray, "repeats n"]
    folds: tuple[tuple[Predictor, ...], ...]
    whole: Predictor


def repeats_of(rows: int) -> int:
    """How often the rows are divided anew: until 500 are predicted, at most 3 times."""
    return min(_MOST_REPEATS, -(-_ROWS_REPEATED // rows))


def needed(components: int) -> int:
    """Different mixtures without which no model is fitted.

    What is left without a fold determines the parameters of the exponential law, one
    for each component and one, and two rows more.
    """
    return max(10, -(-(components + 3) * FOLDS // (FOLDS - 1)))


def check_size(groups: Int64[np.ndarray, " n"], components: int, where: str) -> None:
    """Refuses a table with fewer mixtures than are `needed`."""
    count, least = int(groups.max()) + 1, needed(components)
    if count < least:
        raise UsageError(
            f"{where} has {count} different mixtures in {len(groups)} rows; "
            f"{components} components need {least} or more, as a fifth of them is held "
            "out in turn: add rows, or merge components."
        )


def divisions(
    groups: Int64[np.ndarray, " n"], *, repeats: int, seed: int
) -> list[Int64[np.ndarray, " n"]]:
    """The fold of every row, in each repeat; runs of one mixture share a fold."""
    count = int(groups.max()) + 1
    divided = []
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, repeat])
        divided.append(rng.permutation(np.arange(count) % FOLDS)[groups])
    return divided


def validate(
    learners: Sequence[Learner],
    shares: Shares,
    scores: Scores,
    divided: Sequence[Int64[np.ndarray, " n"]],
    *,
    seed: int,
) -> list[Validated]:
    """Predicts every row by models that have not seen it.

    Args:
      learners: kinds of model.
      shares: of all rows.
      scores: of one target.
      divided: as `divisions` gives them.
      seed: of the models.
    """
    return [_validate(learner, shares, scores, divided, seed) for learner in learners]


def _validate(
    learner: Learner,
    shares: Shares,
    scores: Scores,
    divided: Sequence[Int64[np.ndarray, " n"]],
    seed: int,
) -> Validated:
    predicted = np.empty((len(divided), len(scores)))
    spread = np.empty_like(predicted)
    fitted = []
    for repeat, folds in enumerate(divided):
        models = []
        for fold in range(FOLDS):
            out = folds == fold
            model = learner.fit(shares[~out], scores[~out], seed)
            predicted[repeat, out] = model.mean(shares[out])
            spread[repeat, out] = model.spread(shares[out])
            models.append(model)
        fitted.append(tuple(models))
    whole = learner.fit(shares, scores, seed)
    return Validated(learner.name, predicted, spread, tuple(fitted), whole)
