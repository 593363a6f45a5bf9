"""What the models of each target are worth: cross-validated, and on a holdout."""

import functools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from .baselines import fit_constant, fit_linear, fit_trees
from .cross_validation import Validated, divisions, repeats_of, validate
from .exponential import fit_exponential
from .gaussian_process import fit_gaussian_process
from .metrics import (
    Draws,
    Interval,
    Weights,
    interval,
    kendall,
    ratio,
    regret,
    resamples,
    root_mean_square,
    spearman,
)
from .predictor import Learner, Scores
from .table import MixtureTable
from .threads import one_thread
from .trust import Verdict, trust

Repeated = Float64[np.ndarray, "repeats n"]

CONSTANT = Learner("constant", "the mean", fit_constant)

LEARNERS = (
    Learner("exponential", "exponential mixing law", fit_exponential),
    Learner("gaussian_process", "Gaussian process", fit_gaussian_process),
    Learner("linear", "least squares", fit_linear),
    Learner("trees", "gradient-boosted trees", fit_trees),
)
"""The models tried, beside the constant."""

DRAWS = 500
"""Bootstrap resamples of an interval."""


class Figures(NamedTuple):
    """How well predictions met scores that the model had not seen.

    Attributes:
      spearman: rank correlation.
      kendall: τ-b.
      rmse: root mean square error.
      relative: the same, over that of the constant.
      regret: by how much the mixture predicted to be best misses the best score.
    """

    spearman: Interval
    kendall: Interval
    rmse: Interval
    relative: Interval
    regret: Interval


class Assessed(NamedTuple):
    """The models of one target.

    Attributes:
      target: its name.
      maximise: whether higher scores are better; for the regret.
      cross_validation: figures of each model.
      holdout: of each model fitted to all rows, on another table; None without one.
      validated: the models, the constant too.
      verdict: which of them is trusted.
      noise: standard deviation among runs of one mixture; None without such runs.
      scores: of the table.
    """

    target: str
    maximise: bool
    cross_validation: Mapping[str, Figures]
    holdout: Mapping[str, Figures] | None
    validated: Mapping[str, Validated]
    verdict: Verdict
    noise: float | None
    scores: Scores


@one_thread()
def assess(
    table: MixtureTable,
    *,
    holdout: MixtureTable | None = None,
    maximise: Sequence[str] = (),
    seed: int = 0,
    repeats: int | None = None,
    draws: int = DRAWS,
) -> list[Assessed]:
    """Tries every model on every target.

    Args:
      table: at least `cross_validation.needed` different mixtures.
      holdout: fixed beforehand, with the same columns.
      maximise: targets of which higher is better.
      seed: of folds, resamples and models.
      repeats: of the cross-validation; None for `repeats_of`.
      draws: bootstrap resamples.
    """
    groups = table.groups()
    repeats = repeats_of(len(groups)) if repeats is None else repeats
    divided = divisions(groups, repeats=repeats, seed=seed)
    weights = resamples(groups, draws=draws, seed=seed)
    assessed = []
    for n, target in enumerate(table.targets):
        scores = table.scores[:, n]
        models = validate(
            [CONSTANT, *LEARNERS], table.shares, scores, divided, seed=seed
        )
        up = target in maximise
        figures = {
            m.name: _figures(m.predicted, models[0].predicted, scores, weights, up)
            for m in models
        }
        errors = {m.name: rmse(m.predicted, scores, weights) for m in models}
        verdict = trust(errors, constant=CONSTANT.name, span=float(np.ptp(scores)))
        held = _held(models, holdout, n, up, seed, draws) if holdout else None
        noise = _noise(scores, groups)
        validated = {m.name: m for m in models}
        assessed.append(
            Assessed(
                *(target, up, figures, held, validated),
                *(verdict, noise, scores),
            )
        )
    return assessed


def _held(
    models: Sequence[Validated],
    holdout: MixtureTable,
    n: int,
    maximise: bool,
    seed: int,
    draws: int,
) -> dict[str, Figures]:
    """Figures on another table, of models fitted to all rows."""
    weights = resamples(holdout.groups(), draws=draws, seed=seed)
    predicted = {m.name: m.whole.mean(holdout.shares)[None] for m in models}
    constant, scores = predicted[CONSTANT.name], holdout.scores[:, n]
    return {
        name: _figures(values, constant, scores, weights, maximise)
        for name, values in predicted.items()
    }


def _figures(
    predicted: Repeated,
    constant: Repeated,
    scores: Scores,
    weights: Weights,
    maximise: bool,
) -> Figures:
    """Every figure, the mean over repeats."""

    def over_repeats(measure) -> Draws:
        return np.mean([measure(values) for values in predicted], axis=0)

    def ranked(measure) -> Interval:
        # A constant has no order; across folds it mirrors what was left out.
        if predicted is constant:
            return Interval(float("nan"), float("nan"), float("nan"))
        return interval(over_repeats(lambda v: measure(v, scores, weights)))

    errors = rmse(predicted, scores, weights)
    least = rmse(constant, scores, weights)
    return Figures(
        ranked(spearman),
        ranked(kendall),
        interval(errors),
        interval(ratio(errors, least)),
        ranked(functools.partial(regret, maximise=maximise)),
    )


def rmse(predicted: Repeated, scores: Scores, weights: Weights) -> Draws:
    """Root mean square error, the mean over repeats."""
    each = [root_mean_square(values - scores, weights) for values in predicted]
    return np.mean(each, axis=0)


def _noise(scores: Scores, groups: Int64[np.ndarray, " n"]) -> float | None:
    """Pooled standard deviation among the runs of one mixture."""
    counts = np.bincount(groups)
    extra = len(groups) - len(counts)
    if extra == 0:
        return None
    means = np.bincount(groups, weights=scores) / counts
    return float(np.sqrt(np.sum((scores - means[groups]) ** 2) / extra))
