"""The Gaussian process, beside its posterior written out."""

import numpy as np
import pytest

from sightline.diagnosis.tuning import gaussian_process
from sightline.diagnosis.tuning.gaussian_process import fit_gaussian_process
from sightline.diagnosis.tuning.threads import one_thread

pytestmark = pytest.mark.unchecked


def data(rows, seed=0):
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(3), rows)
    scores = 50 + 4 * np.exp(-5 * shares[:, 0]) + 0.1 * rng.normal(size=rows)
    return shares, scores


def test_the_posterior_is_that_of_its_kernel_on_square_roots():
    """Rasmussen and Williams (2006, §2.2); the noise of a new score is its own."""
    (shares, scores), (fresh, _) = data(20), data(6, seed=1)
    with one_thread():
        found = fit_gaussian_process(shares, scores, 0)
    kernel = found.process.kernel_
    curve, noise = kernel.k1, kernel.k2.noise_level
    known = curve(np.sqrt(shares)) + (noise + 1e-8) * np.eye(20)
    across = curve(np.sqrt(fresh), np.sqrt(shares))
    centre, scale = scores.mean(), scores.std()
    mean = centre + across @ np.linalg.solve(known, scores - centre)
    np.testing.assert_allclose(found.mean(fresh), mean, rtol=1e-6)
    explained = np.sum(across * np.linalg.solve(known, across.T).T, axis=1)
    spread = scale * np.sqrt(curve.diag(np.sqrt(fresh)) + noise - explained)
    np.testing.assert_allclose(found.spread(fresh), spread, rtol=1e-5)


def test_of_many_rows_a_random_part_is_conditioned_on(monkeypatch):
    """And a smaller one chooses the kernel; the seed draws them."""
    monkeypatch.setattr(gaussian_process, "MOST_TUNED", 12)
    monkeypatch.setattr(gaussian_process, "MOST_CONDITIONED", 16)
    shares, scores = data(40)
    with one_thread():
        made = [fit_gaussian_process(shares, scores, seed) for seed in (0, 0, 1)]
    rows = [
        {tuple(row) for row in np.round(each.process.X_train_**2, 9)} for each in made
    ]
    assert rows[0] == rows[1] != rows[2] and len(rows[0]) == 16
    assert rows[0] <= {tuple(row) for row in np.round(shares, 9)}
    # In units of all rows, not of those that were drawn.
    assert made[0].centre == pytest.approx(scores.mean())


def test_where_no_row_is_near_it_is_less_sure():
    shares, scores = data(25)
    near = shares[shares[:, 0] < 0.5]
    with one_thread():
        found = fit_gaussian_process(near, scores[shares[:, 0] < 0.5], 0)
    at_rows, far = found.spread(near), found.spread(np.array([[1.0, 0, 0]]))
    assert far[0] > 1.5 * at_rows.max()


def test_scores_that_are_all_alike_are_predicted_as_they_are():
    shares, _ = data(12)
    with one_thread():
        found = fit_gaussian_process(shares, np.full(12, 7.0), 0)
    np.testing.assert_allclose(found.mean(shares), 7, atol=1e-6)
    assert (found.spread(shares) > 0).all()
