"""What a fitted law keeps whatever the scores: its symmetries."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.diagnosis.tuning.exponential import fit_exponential

pytestmark = pytest.mark.unchecked


def data(seed, rows=25):
    rng = np.random.default_rng(seed)
    shares, t = rng.dirichlet(np.ones(3), rows), rng.normal(scale=2, size=3)
    scores = 3 + np.exp(shares @ t)
    return shares, scores + 0.05 * scores.std() * rng.normal(size=rows)


@given(st.integers(0, 99))
@settings(deadline=None, max_examples=8, derandomize=True)
def test_its_parameters_are_told_in_one_way_and_turned_with_the_scores(seed):
    shares, scores = data(seed)
    found = fit_exponential(shares, scores, 0)
    assert found.t.sum() == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(
        found.mean(shares), found.c + found.k * np.exp(shares @ found.t)
    )
    turned = fit_exponential(shares, -scores, 0)
    np.testing.assert_allclose(turned.mean(shares), -found.mean(shares), atol=1e-3)
    assert np.sign(turned.k) == -np.sign(found.k)
    order = [2, 0, 1]
    moved = fit_exponential(shares[:, order], scores, 0)
    np.testing.assert_allclose(
        moved.mean(shares[:, order]), found.mean(shares), atol=1e-3
    )


def test_scores_that_are_all_alike_are_predicted_as_they_are():
    shares, _ = data(0)
    found = fit_exponential(shares, np.full(25, 7.0), 0)
    np.testing.assert_allclose(found.mean(shares), 7, atol=1e-2)


def test_one_row_that_diverged_moves_the_law_little():
    shares, scores = data(1)
    far = scores.copy()
    far[3] += 100 * scores.std()
    moved = fit_exponential(shares, far, 0).mean(shares)
    kept = fit_exponential(shares, scores, 0).mean(shares)
    assert np.abs(np.delete(moved - kept, 3)).max() < 0.2 * scores.std()
    least_squares = np.linalg.lstsq(shares, far, rcond=None)[0]
    assert np.abs(shares @ least_squares - kept).max() > 2 * scores.std()
