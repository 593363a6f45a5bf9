"""Predictions of mixtures held out, against what was measured, and the noise ceiling.

Each run of a held-out mixture is predicted twice: by the model, which has seen no run
of it, and by another run of the same mixture. The second is the noise ceiling of a
single run: a model that does as well has nothing left to learn from these runs, and one
without noise of its own may do better.
"""

import functools
import itertools
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from .assessment import DRAWS
from .metrics import (
    Draws,
    Interval,
    Weights,
    interval,
    kendall,
    regret,
    resamples,
    spearman,
)
from .predictor import Scores

Runs = Float64[np.ndarray, "m S"]
"""Scores of m mixtures, each with S runs."""


class Agreement(NamedTuple):
    """How one series orders and picks among mixtures by another.

    Attributes:
      spearman: rank correlation.
      kendall: τ-b.
      regret: by how much the mixture that is best by the first misses the best by the
        second.
    """

    spearman: Interval
    kendall: Interval
    regret: Interval


class Validation(NamedTuple):
    """A target on the mixtures held out.

    Attributes:
      mixtures: number of them.
      seeds: runs of each.
      predicted: agreement of the predictions with the runs.
      ceiling: of the runs of other seeds with the runs; None with one run each.
    """

    mixtures: int
    seeds: int
    predicted: Agreement
    ceiling: Agreement | None


def by_mixture(scores: Scores, groups: np.ndarray) -> tuple[list[int], Runs]:
    """The first row of each mixture, and as many of its runs as all have."""
    rows = [np.flatnonzero(groups == n) for n in range(int(groups.max()) + 1)]
    least = min(map(len, rows))
    return [int(r[0]) for r in rows], np.array([scores[r[:least]] for r in rows])


def validation(
    predicted: Scores, runs: Runs, *, maximise: bool, seed: int, draws: int = DRAWS
) -> Validation:
    """Compares predictions with runs, and runs with each other.

    Args:
      predicted: of each mixture.
      runs: what was measured.
      maximise: whether higher is better.
      seed: of the bootstrap over mixtures.
      draws: its resamples.
    """
    count, seeds = runs.shape
    weights = resamples(np.arange(count), draws=draws, seed=seed)
    agree = functools.partial(_agreement, weights=weights, maximise=maximise)
    pairs = list(itertools.permutations(runs.T, 2))
    return Validation(
        *(count, seeds),
        agree([(predicted, run) for run in runs.T]),
        agree(pairs) if pairs else None,
    )


def _agreement(
    pairs: list[tuple[Scores, Scores]], *, weights: Weights, maximise: bool
) -> Agreement:
    """The mean over pairs of a series and the runs that it should order."""

    def mean(measure) -> Interval:
        each: list[Draws] = [measure(a, b, weights) for a, b in pairs]
        return interval(np.mean(each, axis=0))

    return Agreement(
        mean(spearman),
        mean(kendall),
        mean(functools.partial(regret, maximise=maximise)),
    )
