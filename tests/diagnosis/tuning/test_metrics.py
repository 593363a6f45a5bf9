"""Weighted figures, beside SciPy on the rows written out."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.stats import kendalltau, spearmanr

from sightline.diagnosis.tuning.metrics import (
    interval,
    kendall,
    regret,
    resamples,
    root_mean_square,
    spearman,
)

few = st.integers(0, 4)  # so that there are ties


@given(st.lists(st.tuples(few, few, st.integers(0, 3)), min_size=3, max_size=12))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_weights_count_rows(rows):
    a, b, counts = (np.array(column, float) for column in zip(*rows, strict=True))
    if counts.sum() == 0:
        return
    weights = np.stack([counts, counts])
    long_a, long_b = np.repeat(a, counts.astype(int)), np.repeat(b, counts.astype(int))
    tied = np.ptp(long_a) == 0 or np.ptp(long_b) == 0
    for measure, expected in ((spearman, spearmanr), (kendall, kendalltau)):
        found = measure(a, b, weights)[0]
        if tied:
            assert np.isnan(found)
        else:
            np.testing.assert_allclose(found, expected(long_a, long_b)[0], atol=1e-6)
    rms = np.sqrt(np.mean((long_a - long_b) ** 2))
    np.testing.assert_allclose(root_mean_square(a - b, weights)[0], rms)


def test_regret_is_what_the_choice_costs():
    predicted, scores = np.array([3.0, 1.0, 2.0]), np.array([5.0, 7.0, 4.0])
    weights = np.array([[1.0, 1, 1], [1, 0, 1]])
    np.testing.assert_allclose(
        regret(predicted, scores, weights, maximise=False), [3, 0]
    )
    np.testing.assert_allclose(
        regret(predicted, scores, weights, maximise=True), [2, 0]
    )


@pytest.mark.parametrize("order", [[0, 1, 2], [1, 0, 2], [2, 1, 0]])
def test_of_mixtures_that_are_predicted_alike_the_mean_is_chosen(order):
    predicted, scores = np.array([1.0, 1.0, 2.0])[order], np.array([0.0, 5, 9])[order]
    weights = np.array([[1.0, 1, 1], [1, 3, 1]])[:, order]
    found = regret(predicted, scores, weights, maximise=False)
    np.testing.assert_allclose(found, [2.5, 15 / 4])


def test_runs_of_one_mixture_are_drawn_together():
    groups = np.array([0, 1, 0, 2, 1])
    weights = resamples(groups, draws=50, seed=0)
    assert (weights[0] == 1).all()
    np.testing.assert_array_equal(weights[:, 0], weights[:, 2])
    np.testing.assert_array_equal(weights[:, 1], weights[:, 4])
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()


def test_an_interval_covers_the_mean_it_should():
    rng = np.random.default_rng(0)
    covered = 0
    for n in range(200):
        values = rng.normal(size=60)
        weights = resamples(np.arange(60), draws=200, seed=n)
        mean = weights @ values / 60
        found = interval(mean)
        assert found.value == pytest.approx(values.mean())
        covered += found.low <= 0 <= found.high
    assert 175 <= covered <= 197
