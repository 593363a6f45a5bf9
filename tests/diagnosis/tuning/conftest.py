"""Targets whose model is known, so that what follows from it can be worked out."""

import dataclasses

import numpy as np
import pytest

from sightline.diagnosis.tuning.assessment import CONSTANT, Assessed
from sightline.diagnosis.tuning.baselines import Constant
from sightline.diagnosis.tuning.cross_validation import FOLDS, Validated
from sightline.diagnosis.tuning.trust import Verdict


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
