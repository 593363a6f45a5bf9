"""Folds, beside scikit-learn's cross-validation on the same ones."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict

from sightline.diagnosis.tuning.baselines import fit_linear
from sightline.diagnosis.tuning.cross_validation import (
    FOLDS,
    check_size,
    divisions,
    needed,
    repeats_of,
    validate,
)
from sightline.diagnosis.tuning.predictor import Learner
from sightline.objectives.errors import UsageError

pytestmark = pytest.mark.unchecked


def test_rows_are_predicted_as_by_scikit_learn():
    rng = np.random.default_rng(0)
    shares, scores = rng.dirichlet(np.ones(3), 23), rng.normal(size=23)
    divided = divisions(np.arange(23), repeats=2, seed=0)
    learner = Learner("linear", "", fit_linear)
    (found,) = validate([learner], shares, scores, divided, seed=0)
    for predicted, folds in zip(found.predicted, divided, strict=True):
        split = PredefinedSplit(folds)
        expected = cross_val_predict(LinearRegression(), shares, scores, cv=split)
        np.testing.assert_allclose(predicted, expected, atol=1e-9)
    for fold, model in enumerate(found.folds[1]):
        seen = divided[1] != fold
        expected = LinearRegression().fit(shares[seen], scores[seen]).predict(shares)
        np.testing.assert_allclose(model.mean(shares), expected, atol=1e-9)


@given(st.integers(FOLDS, 60), st.integers(0, 99))
@settings(deadline=None, max_examples=30, derandomize=True)
def test_folds_are_of_as_many_mixtures(mixtures, seed):
    divided = divisions(np.arange(mixtures), repeats=2, seed=seed)
    for folds in divided:
        sizes = np.bincount(folds, minlength=FOLDS)
        assert len(sizes) == FOLDS and sizes.max() - sizes.min() <= 1


def test_every_repeat_and_seed_divides_anew_and_repeats_itself():
    groups = np.arange(40)
    made = [divisions(groups, repeats=2, seed=seed) for seed in (0, 1)]
    for one, other in itertools.combinations([*made[0], *made[1]], 2):
        assert (one != other).any()
    again = divisions(groups, repeats=3, seed=1)
    np.testing.assert_array_equal(again[:2], made[1])


@pytest.mark.parametrize(
    ("rows", "repeats"), [(10, 3), (249, 3), (250, 2), (499, 2), (500, 1), (9000, 1)]
)
def test_few_rows_are_divided_more_often(rows, repeats):
    assert repeats_of(rows) == repeats


@pytest.mark.parametrize("components", range(2, 60))
def test_what_a_fold_leaves_is_two_more_than_the_laws_parameters(components):
    def left(mixtures):
        folds = np.arange(mixtures) % FOLDS
        return mixtures - np.bincount(folds).max()

    rows = needed(components)
    assert left(rows) >= components + 3
    assert rows == 10 or left(rows - 1) < components + 3


def test_a_table_of_too_few_mixtures_is_refused_however_many_its_rows():
    groups = np.repeat(np.arange(11), 4)
    check_size(groups, 5, "t.csv")
    message = r"t\.csv has 11 different mixtures in 44 rows; 6 components need 12"
    with pytest.raises(UsageError, match=message):
        check_size(groups, 6, "t.csv")
