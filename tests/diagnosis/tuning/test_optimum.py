"""The best mixture stays near the data, of models whose optimum is known."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from scipy.optimize import linprog
from scipy.spatial.distance import cdist
from scipy.stats import t as student

from sightline.diagnosis.tuning.optimum import near, optimum, reach_of

pytestmark = pytest.mark.unchecked

GRID = np.array([[a, b, 10 - a - b] for a in range(11) for b in range(11 - a)]) / 10
"""Mixtures of three components, a tenth apart."""


def is_blend(mixture, observed):
    """Whether weights of 0 or more that sum to 1 give it: a linear programme."""
    sides = np.vstack([observed.T, np.ones(len(observed))])
    found = linprog(np.zeros(len(observed)), A_eq=sides, b_eq=[*mixture, 1.0])
    return found.status == 0


def test_the_reach_leaves_out_the_loneliest_of_them():
    """Ten pairs and one alone: the 95 % quantile of 21 distances is the 20th."""
    place = np.append(np.repeat(np.arange(10) * 0.03, 2), 0.9)
    place[1:20:2] += 0.01
    observed = np.stack([place, 1 - place], axis=1)
    assert reach_of(observed) == pytest.approx(0.01 * np.sqrt(2))
    asked = np.array([[0.285, 0.715], [0.292, 0.708], [0.9, 0.1], [0.5, 0.5]])
    assert near(asked, observed).tolist() == [True, False, True, False]


@given(st.integers(2, 5), st.integers(8, 25), st.integers(0, 999), st.booleans())
@settings(
    deadline=None,
    max_examples=15,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_it_is_a_blend_within_reach_and_no_worse_than_a_row(
    known, bowl, components, rows, seed, up
):
    rng = np.random.default_rng(seed)
    shares, centre = rng.dirichlet(np.ones(components), rows), rng.random(components)
    slope = -1.0 if up else 1.0
    target = known("y", bowl(tuple(centre), slope=slope), shares, maximise=up)
    found = optimum(target, shares)
    assert is_blend(found.mixture, shares)
    assert cdist(found.mixture[None], shares).min() <= reach_of(shares) + 1e-9
    best = target.scores.max() if up else target.scores.min()
    assert found.observed == best == target.scores[found.row]
    assert found.gain >= 0 and found.reference == found.row
    gained = found.predicted - best
    assert found.gain == pytest.approx(gained if up else -gained)


@pytest.mark.parametrize("up", [False, True])
def test_a_bowls_bottom_is_found_between_rows(up, known, bowl):
    centre = (0.34, 0.27, 0.39)
    target = known(
        "y", bowl(centre, height=3.0, slope=-1.0 if up else 1.0), GRID, maximise=up
    )
    found = optimum(target, GRID)
    np.testing.assert_allclose(found.mixture, centre, atol=0.012)
    assert found.predicted == pytest.approx(3.0, abs=4e-4)


def test_the_best_score_may_be_luck_and_the_gain_is_from_the_best_prediction(
    known, bowl
):
    target = known("y", bowl((0.34, 0.27, 0.39)), GRID, error=0.25)
    lucky = target.scores.copy()
    lucky[0] = -9.0
    found = optimum(target._replace(scores=lucky), GRID)
    assert (found.row, found.observed) == (0, -9.0)
    np.testing.assert_allclose(GRID[found.reference], [0.3, 0.3, 0.4])
    # From .0026 there, to next to nothing.
    assert found.gain == pytest.approx(0.0026, abs=2e-4)


def test_its_interval_is_the_jackknifes_of_the_gain(known, bowl):
    """Folds that are off by a height each say the same of every difference."""
    centre = (0.34, 0.27, 0.39)
    heights = [bowl(centre, height=float(n)) for n in range(5)]
    found = optimum(known("y", bowl(centre), GRID, folds=heights), GRID)
    assert found.gain_low == pytest.approx(found.gain_high) and found.apart
    assert found.evidence.startswith("better than the best observed mixture: pred")
    # Slopes -1 to 3 of mean 1: gains of these times that of 1, a variance of 2.
    slopes = [bowl(centre, slope=float(n)) for n in range(-1, 4)]
    target = known("y", bowl(centre), GRID, folds=slopes)
    wide = optimum(target, GRID)
    width = student.ppf(0.975, 4) * np.sqrt(2 * 4) * wide.gain
    assert wide.gain_high - wide.gain == pytest.approx(width)
    assert wide.gain - wide.gain_low == pytest.approx(width)
    assert not wide.apart and wide.evidence.startswith("no evidence that it beats")


def test_without_a_model_there_is_none(known, bowl):
    assert optimum(known("y", bowl((1, 0, 0)), GRID, trusted=False), GRID) is None
