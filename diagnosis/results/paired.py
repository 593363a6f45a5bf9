"""Two arms of a study compared run by run: the same seed, the same items."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student

from ..scores.score import RESAMPLES, Score
from .effects import Difference, OwnLoss
from .measures import Measure
from .records import Record

TWO_SIDED = 1.959964
"""Standard deviations that half of a 95 % interval is."""

LEAST_SEEDS = 2
"""Without two there is no interval; three or more make it narrow enough to tell."""


def difference(
    measure: Measure, without: Sequence[Record], having: Sequence[Record]
) -> Difference | None:
    """By how much a score of two arms differs at equal tokens, `having - without`.

    Its interval is the wider, at each end, of a bootstrap over seeds and items, which
    is too narrow for few seeds, and of Student's over seeds, which knows no items.

    Args:
      measure: the score.
      without: records of the one arm at a budget, one a seed.
      having: those of the other.

    Returns:
      None unless two seeds have the score in both.
    """
    pairs = [
        (before, after)
        for one, other in same_seeds(without, having)
        if (before := measure.chosen(one.scores))
        and (after := measure.chosen(other.scores))
    ]
    if len(pairs) < LEAST_SEEDS:
        return None
    changes = np.array([after.value - before.value for before, after in pairs])
    errors = np.array([math.hypot(*map(standard_error, pair)) for pair in pairs])
    lows, highs = zip(interval(changes, errors), student_interval(changes), strict=True)
    return Difference(
        failure=measure.failure,
        probe=measure.probe,
        metric=measure.metric,
        better=pairs[0][0].better,
        without=float(np.mean([before.value for before, _ in pairs])),
        having=float(np.mean([after.value for _, after in pairs])),
        low=min(lows),
        high=max(highs),
        seeds=len(pairs),
    )


def student_interval(changes: Float[np.ndarray, " S"]) -> tuple[float, float]:
    """Student's 95 % interval of a mean over seeds, of two or more.

    Args:
      changes: of each seed.
    """
    mean, count = float(changes.mean()), len(changes)
    error = float(changes.std(ddof=1)) / math.sqrt(count)
    width = float(student.ppf(0.975, count - 1)) * error
    return mean - width, mean + width


def interval(
    changes: Float[np.ndarray, " S"], errors: Float[np.ndarray, " S"], *, seed: int = 0
) -> tuple[float, float]:
    """The 95 % interval of a mean over seeds, by a bootstrap over seeds and items.

    Seeds are drawn with replacement, and to each is added what its items vary by, as a
    normal deviate. The errors of two arms are added as if their items were drawn
    apart; they are the same items, so that the interval is rather too wide. With three
    seeds the bootstrap over seeds alone is rather too narrow: read both ends with care.

    Args:
      changes: of each seed.
      errors: their standard errors over items.
      seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(changes), size=(RESAMPLES, len(changes)))
    deviates = rng.standard_normal(chosen.shape)
    means = (changes[chosen] + errors[chosen] * deviates).mean(1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def crossed_interval(
    changes: Float[np.ndarray, "S K"], *, seed: int = 0
) -> tuple[float, float]:
    """The 95 % interval of a mean over seeds and kinds, by a bootstrap over both.

    Seeds and kinds are drawn with replacement, apart from each other (Owen 2007, "The
    pigeonhole bootstrap"): what is claimed is of other seeds and of other kinds.

    Args:
      changes: of each seed and kind of item, of two of each at least: one alone tells
        nothing of others.
      seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    seeds, kinds = (
        rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES) / n for n in changes.shape
    )
    means = ((seeds @ changes) * kinds).sum(1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def standard_error(score: Score) -> float:
    """Over items, from the score's own bootstrap interval over documents."""
    return (score.high - score.low) / (2 * TWO_SIDED)


def own_loss(
    without: Sequence[Record], having: Sequence[Record], shares: Mapping[str, float]
) -> OwnLoss | None:
    """Held-out loss on the incumbent's objectives, `having` relative to `without`.

    The interval spans the ratios of all seeds.

    Args:
      without: records of the one arm at a budget.
      having: those of the other.
      shares: of the incumbent's loss, by objective.
    """
    ratios = [
        weighted(other.losses, shares) / weighted(one.losses, shares)
        for one, other in same_seeds(without, having)
    ]
    if not ratios:
        return None
    return OwnLoss(float(np.mean(ratios)), min(ratios), max(ratios))


def weighted(losses: Mapping[str, float], shares: Mapping[str, float]) -> float:
    """The mean of losses by shares."""
    return sum(losses[name] * share for name, share in shares.items())


def same_seeds(
    without: Sequence[Record], having: Sequence[Record]
) -> list[tuple[Record, Record]]:
    """Records of two arms in pairs of the same seed."""
    by_seed = {record.seed: record for record in having}
    return [(r, by_seed[r.seed]) for r in without if r.seed in by_seed]
