"""Blends, and the best of them within a bound, of models whose optimum is known."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from sightline.diagnosis.tuning.against import against
from sightline.diagnosis.tuning.optimum import reach_of
from sightline.diagnosis.tuning.search import blends, search
from sightline.diagnosis.tuning.worst import Worst

pytestmark = pytest.mark.unchecked

OBSERVED = np.array([[a, b, 5 - a - b] for a in range(6) for b in range(6 - a)]) / 5
INCUMBENT = np.array([0.6, 0.2, 0.2])
EVERY = np.random.default_rng(9).dirichlet(np.ones(3), 20_000)


@pytest.fixture
def worst(known, bowl):
    """Failures that peak apart, and an own loss that is least at the first corner."""

    def one(name, centre, scale=1.0, **options):
        target = known(name, bowl(centre, **options), OBSERVED)
        return against(target, OBSERVED, INCUMBENT, scale=scale)

    failures = one("first", (0.1, 0.7, 0.2)), one("second", (0.1, 0.2, 0.7))
    return Worst(failures, one("own", (1.0, 0.0, 0.0), scale=4.24, height=4.0))


def test_blends_are_mixtures_within_reach_and_the_observed_ones_first():
    rows = np.random.default_rng(0).dirichlet(np.full(4, 0.2), 20)
    drawn = blends(rows, count=500, seed=0)
    np.testing.assert_array_equal(drawn[:20], rows)
    np.testing.assert_allclose(drawn.sum(axis=1), 1)
    assert (drawn >= 0).all() and 100 < len(drawn) < 520
    # In a corner of no row is no blend either.
    assert (drawn.max(axis=0) <= rows.max(axis=0) + 1e-9).all()
    assert cdist(drawn, rows).min(axis=1).max() <= reach_of(rows) + 1e-9
    again, other = (blends(rows, count=500, seed=seed) for seed in (0, 1))
    np.testing.assert_array_equal(again, drawn)
    assert other.shape != drawn.shape or (other != drawn).any()


def test_of_two_observed_mixtures_there_are_blends_too():
    drawn = blends(np.eye(2), count=50, seed=0)
    assert len(drawn) > 2 and ((drawn > 0) & (drawn < 1)).any()


@pytest.mark.parametrize("most_loss", [0.02, 0.1])
def test_it_is_the_best_of_all_mixtures_within_the_bound(most_loss, worst):
    """Beside 20,000 mixtures of the simplex; where the bound binds it is reached."""
    drawn = blends(OBSERVED, count=300, seed=0)
    found = search(worst, OBSERVED, drawn, worst.judge(drawn), most_loss=most_loss)
    judged, every = worst.judge(found[None]), worst.judge(EVERY)
    best = every.worst_low[every.loss_high <= 1 + most_loss].max()
    assert judged.worst_low[0] >= best - 1e-3
    assert judged.loss_high[0] == pytest.approx(1 + most_loss, abs=1e-4)
    assert found.sum() == pytest.approx(1) and (found >= 0).all()


def test_a_bound_that_does_not_bind_leaves_the_best_between_the_failures(worst):
    drawn = blends(OBSERVED, count=300, seed=0)
    found = search(worst, OBSERVED, drawn, worst.judge(drawn), most_loss=9.0)
    # As far from either peak: half-way between them.
    np.testing.assert_allclose(found, [0.1, 0.45, 0.45], atol=5e-3)


def test_what_is_moved_out_of_reach_is_not_taken(known, bowl):
    """The best is half-way between two clouds, where no mixture was observed."""
    rng = np.random.default_rng(0)
    clouds = np.repeat([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]], 12, axis=0)
    observed = clouds + 0.02 * rng.dirichlet(np.ones(3), 24)
    observed /= observed.sum(axis=1, keepdims=True)
    at = observed[0]
    middle = known("y", bowl((0.45, 0.45, 0.1)), observed)
    own = known("own", bowl((0.8, 0.1, 0.1), height=4.0), observed)
    worst = Worst(
        (against(middle, observed, at, scale=1.0),),
        against(own, observed, at, scale=4.0),
    )
    drawn = blends(observed, count=200, seed=0)
    judged = worst.judge(drawn)
    found = search(worst, observed, drawn, judged, most_loss=1.0)
    assert cdist(found[None], observed).min() <= reach_of(observed) + 1e-9
    assert worst.judge(found[None]).worst_low[0] >= judged.worst_low.max()


def test_where_nothing_is_within_the_bound_there_is_none(worst):
    drawn = blends(OBSERVED, count=50, seed=0)
    judged = worst.judge(drawn)
    assert judged.loss_high.min() == pytest.approx(4 / 4.24)  # of the first corner
    least = float(judged.loss_high.min()) - 1
    assert search(worst, OBSERVED, drawn, judged, most_loss=least - 1e-6) is None
    found = search(worst, OBSERVED, drawn, judged, most_loss=least + 1e-6)
    np.testing.assert_allclose(found, [1, 0, 0], atol=5e-3)
