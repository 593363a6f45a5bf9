"""Targets whose model is known, so that what follows from it can be worked out."""

import dataclasses

import numpy as np
import pytest

from sightline.diagnosis.tuning.assessment import CONSTANT, Assessed
from sightline.diagnosis.tuning.baselines import Constant
from sightline.diagnosis.tuning.cross_validation import FOLDS, Validated
from sightline.diagnosis.tuning.frontier import Front, undominated
from sightline.diagnosis.tuning.recommendation import incumbent_of, recommend
from sightline.diagnosis.tuning.table import MixtureTable
from sightline.diagnosis.tuning.trust import Verdict
from sightline.diagnosis.tuning.worst import Judged

GRID = np.array([[a, b, 5 - a - b] for a in range(6) for b in range(6 - a)]) / 5
"""Mixtures of three components, a fifth apart; the incumbent is 0, .6, .4."""

TARGETS = ("first", "second", "own")


@dataclasses.dataclass(frozen=True)
class Bowl:
    """A model: the squared distance from a mixture, times a slope, over a height."""

    centre: tuple[float, ...]
    height: float = 0.0
    slope: float = 1.0

    def mean(self, shares):
        away = ((shares - np.array(self.centre)) ** 2).sum(axis=1)
        return self.height + self.slope * away

    def spread(self, shares):
        return np.ones(len(shares))


def validated_of(name, model, scores, error, folds=None):
    """A model that was wrong by `error` out of fold, up and down in turn."""
    wrong = np.where(np.arange(len(scores)) % 2, error, -error)
    return Validated(
        name,
        (scores + wrong)[None],
        np.ones((1, len(scores))),
        ((*(folds or [model] * FOLDS),),),
        model,
    )


@pytest.fixture
def bowl():
    return Bowl


@pytest.fixture
def known():
    """`known(target, model, shares, error=, folds=, maximise=, noise=, trusted=)`."""

    def make(
        target,
        model,
        shares,
        *,
        error=0.0,
        folds=None,
        maximise=False,
        noise=None,
        trusted=True,
    ):
        scores = model.mean(shares)
        mean = Constant(float(scores.mean()))
        models = {
            "known": validated_of("known", model, scores, error, folds),
            CONSTANT.name: validated_of(CONSTANT.name, mean, scores, error),
        }
        verdict = Verdict("known" if trusted else None, f"{target} is told.")
        return Assessed(target, maximise, {}, None, models, verdict, noise, scores)

    return make


@pytest.fixture
def grid():
    return GRID


@pytest.fixture
def rows_of():
    """`rows_of(shares, scores)`: a table of the targets of `case`."""

    def make(shares, scores):
        incumbent = np.abs(shares - [0, 0.6, 0.4]).max(axis=1) < 1e-9
        cells = tuple({"mixture": "current" if at else "other"} for at in incumbent)
        numbers = tuple(range(1, len(shares) + 1))
        return MixtureTable(("a", "b", "c"), TARGETS, shares, scores, cells, numbers)

    return make


@pytest.fixture
def case(known, rows_of):
    """`case(peak=, most_loss=, loss=, …)`: what is assessed, its table, what is found.

    Two failures are best at a peak, one by the highest score, one by the lowest; the
    incumbent has the least own loss. `loss` are options of that target, others of the
    failures.
    """

    def make(*, peak=(0.5, 0.2, 0.3), most_loss=0.1, loss=None, **options):
        own = Bowl((0, 0.6, 0.4), height=4.0)
        assessed = [
            known("first", Bowl(peak, slope=-1.0), GRID, maximise=True, **options),
            known("second", Bowl(peak), GRID, **options),
            known("own", own, GRID, **(loss or {})),
        ]
        table = rows_of(GRID, np.stack([each.scores for each in assessed], axis=1))
        found = recommend(
            *(table, assessed),
            loss="own",
            incumbent=incumbent_of(table, "current"),
            most_loss=most_loss,
        )
        return assessed, table, found

    return make


@pytest.fixture
def front_of():
    """`front_of(found)`: the front of the blends that were tried."""

    def make(found):
        judged = found.judged_drawn
        chosen = undominated(judged.loss, judged.worst)
        return Front(found.drawn[chosen], Judged(*(part[chosen] for part in judged)))

    return make
