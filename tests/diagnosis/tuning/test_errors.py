"""Standard errors of predictions, beside the jackknife of textbooks."""

import numpy as np
import pytest

from sightline.diagnosis.tuning.assessment import CONSTANT
from sightline.diagnosis.tuning.cross_validation import FOLDS, validate
from sightline.diagnosis.tuning.errors import (
    jackknife,
    jackknife_of,
    predicted,
    predictions,
)

pytestmark = pytest.mark.unchecked


def test_the_jackknife_of_a_mean_is_its_standard_error():
    """Efron and Tibshirani (1993, §11): of a mean left out one by one it is s / √n."""
    scores = np.random.default_rng(0).normal(size=FOLDS)
    shares = np.eye(FOLDS)
    (mean,) = validate([CONSTANT], shares, scores, [np.arange(FOLDS)], seed=0)
    expected = np.std(scores, ddof=1) / np.sqrt(FOLDS)
    np.testing.assert_allclose(jackknife(mean, shares[:2]), [expected] * 2)


def test_variances_of_repeats_are_averaged():
    # Deviations 1 and 3 of two values each: variances 1 and 9, times folds less 1.
    values = [[np.array([0.0, 5]), np.array([2.0, 5])], [np.array([-1.0, 5])] * 2]
    values[1][1] = np.array([5.0, 5])
    np.testing.assert_allclose(jackknife_of(values), [np.sqrt(5), 0])


@pytest.mark.parametrize("error", [0.5, 3.0])
def test_the_own_error_is_as_large_as_errors_were_out_of_fold(error, known, bowl):
    shares = np.random.default_rng(0).dirichlet(np.ones(3), 20)
    model = bowl((0.2, 0.3, 0.5))
    (validated, _) = known("y", model, shares, error=error).validated.values()
    found = predicted(validated, model.mean(shares), shares[:4])
    np.testing.assert_allclose(found.own, error)
    np.testing.assert_allclose(found.jackknife, 0, atol=1e-12)
    np.testing.assert_allclose(found.mean, model.mean(shares[:4]))
    heights = [bowl(model.centre, height=float(n)) for n in range(5)]
    unsteady = validated._replace(folds=(tuple(heights),))
    mean, joined = predictions(unsteady, model.mean(shares), shares[:4])
    np.testing.assert_allclose(mean, found.mean)
    np.testing.assert_allclose(joined, np.hypot(error, np.sqrt(8)))  # 2, four times


def test_an_error_is_in_units_of_what_the_model_said_of_it(known, bowl):
    """Twice as unsure of every row, and no more wrong: half of what it says is true."""
    shares = np.random.default_rng(0).dirichlet(np.ones(3), 20)
    model = bowl((0.2, 0.3, 0.5))
    (validated, _) = known("y", model, shares, error=1.0).validated.values()
    unsure = validated._replace(spread=2 * validated.spread)
    found = predicted(unsure, model.mean(shares), shares[:4])
    np.testing.assert_allclose(found.own, 0.5)
