"""The front moves outwards from the blends that it begins with."""

import numpy as np
import pytest

from sightline.diagnosis.tuning import frontier
from sightline.diagnosis.tuning.against import against
from sightline.diagnosis.tuning.frontier import front, undominated
from sightline.diagnosis.tuning.optimum import near
from sightline.diagnosis.tuning.search import blends
from sightline.diagnosis.tuning.worst import Worst

pytestmark = pytest.mark.unchecked


def test_points_that_are_alike_are_one_and_come_by_their_loss():
    loss, gain = np.array([3.0, 1, 1, 2, 2]), np.array([5.0, 1, 2, 2, 9])
    assert undominated(loss, gain).tolist() == [2, 4]
    assert undominated(np.zeros(3), np.zeros(3)).tolist() == [0]


def test_it_is_nowhere_behind_the_blends_and_nears_the_true_one(
    known, bowl, grid, monkeypatch
):
    """Both are squared distances from a corner: best are blends of the two corners."""
    monkeypatch.setattr(frontier, "_AROUND", 300)
    at = np.array([1.0, 0, 0])
    failure = against(known("y", bowl((0, 1, 0)), grid), grid, at, scale=1.0)
    own = known("own", bowl((1, 0, 0), height=4.0), grid)
    worst = Worst((failure,), against(own, grid, at, scale=4.0))
    drawn = blends(grid, count=60, seed=0)
    judged = worst.judge(drawn)
    found = front(worst, grid, drawn, judged, seed=0)
    np.testing.assert_allclose(worst.judge(found.shares).loss, found.judged.loss)
    assert near(found.shares, grid).all() and (np.diff(found.judged.loss) > 0).all()
    for loss, gain in zip(judged.loss, judged.worst, strict=True):
        within = found.judged.loss <= loss + 1e-12
        assert found.judged.worst[within].max() >= gain - 1e-12
    step = np.linspace(0.1, 0.9, 9)
    true = worst.judge(np.stack([1 - step, step, 0 * step], axis=1))
    for loss, gain in zip(true.loss, true.worst, strict=True):
        within = found.judged.loss <= loss + 1e-12
        assert found.judged.worst[within].max() >= gain - 0.06
