"""What the picture of a front draws."""

import numpy as np
import pytest

from sightline.diagnosis.tuning.front_picture import picture, picture_file
from sightline.diagnosis.tuning.recommendation_report import points

pytestmark = pytest.mark.unchecked


def test_the_picture_holds_every_point_its_bound_and_the_intervals(
    case, rows_of, grid, front_of
):
    _, table, found = case(error=0.01, noise=0.0)
    held = rows_of(grid[4:9] @ np.roll(np.eye(3), 1, axis=0), table.scores[4:9] + 1)
    line = front_of(found)
    made = points(found, table, held)
    (axes,) = picture(found, made, line).axes
    drawn = {each.get_label(): each for each in axes.get_lines()}
    for label, out in (("measured, fitted to", False), ("measured, held out", True)):
        x, y = drawn[label].get_data()
        np.testing.assert_array_equal(x, made.loss[made.held_out == out])
        np.testing.assert_array_equal(y, made.worst[made.held_out == out])
    x, y = drawn["its lower bound (95 %)"].get_data()
    for at, bound in zip(x, y, strict=True):
        assert bound == line.judged.worst_low[line.judged.loss <= at].max()
    assert drawn["incumbent"].get_xydata().tolist() == [[1, 0]]
    assert [1.1, 1.1] in [list(each.get_xdata()) for each in axes.get_lines()]
    ((centre, _, bars),) = axes.containers
    assert centre.get_xydata().tolist() == [
        [found.judged.loss[0], found.judged.worst[0]]
    ]
    (across,), (up,) = (bar.get_segments() for bar in bars)
    ends = [found.judged.loss_low[0], found.judged.loss_high[0]]
    np.testing.assert_allclose(across[:, 0], ends)
    n = found.judged.gains[0].argmin()
    ends = [found.judged.lows[0].min(), found.judged.highs[0, n]]
    np.testing.assert_allclose(up[:, 1], ends)
    assert "recommended" in picture_file(found, made, line)
    bare = picture(found._replace(judged=None, mixture=None), made, None)
    assert not bare.axes[0].containers
    assert "predicted front" not in [x.get_label() for x in bare.axes[0].get_lines()]
