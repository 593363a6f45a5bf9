"""What models must beat, beside NumPy."""

import numpy as np
import pytest

from sightline.diagnosis.tuning.baselines import fit_constant, fit_linear, fit_trees
from sightline.diagnosis.tuning.threads import one_thread

pytestmark = pytest.mark.unchecked


def data(rows, seed=0):
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(3), rows)
    return shares, 5 + 2 * shares[:, 0] + 0.1 * rng.normal(size=rows)


def test_a_constant_is_the_mean_wherever_it_is_asked():
    shares, scores = data(8)
    found = fit_constant(shares, scores, 0)
    np.testing.assert_allclose(found.mean(shares[:3]), [scores.mean()] * 3)
    assert found.spread(shares[:3]).tolist() == [1, 1, 1]


def test_a_line_is_least_squares():
    """Shares sum to 1, so that a plane through them needs no constant."""
    (shares, scores), (fresh, _) = data(15), data(4, seed=1)
    slopes = np.linalg.lstsq(shares, scores, rcond=None)[0]
    found = fit_linear(shares, scores, 0)
    np.testing.assert_allclose(found.mean(fresh), fresh @ slopes)


@pytest.mark.parametrize("rows", [12, 60])
def test_trees_follow_a_step_also_of_few_rows(rows):
    shares, _ = data(rows)
    steps = np.where(shares[:, 0] > np.median(shares[:, 0]), 1.0, -1.0)
    with one_thread():
        found, again = (fit_trees(shares, steps, 3) for _ in range(2))
    assert np.corrcoef(found.mean(shares), steps)[0, 1] > 0.9
    np.testing.assert_array_equal(found.mean(shares), again.mean(shares))
