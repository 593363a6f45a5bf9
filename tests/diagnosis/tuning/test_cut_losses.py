"""Own losses that are cut, and where."""

import numpy as np
import pytest

from sightline.diagnosis.tuning.cut_losses import cut_at, cut_losses, larger
from sightline.diagnosis.tuning.table import MixtureTable
from sightline.objectives.errors import UsageError

pytestmark = pytest.mark.unchecked

SHARES = np.array([[0.5, 0.5], [0.5, 0.5], [1.0, 0.0], [0.0, 1.0]])


def table(*losses):
    scores = np.stack([np.zeros(4), np.array(losses)], axis=1)
    cells = ({},) * 4
    return MixtureTable(("a", "b"), ("y", "own"), SHARES, scores, cells, (1, 2, 3, 4))


def cut(data, most_loss=0.05):
    return cut_at(data, loss="own", incumbent=SHARES[0], most_loss=most_loss)


def test_losses_are_cut_at_twice_the_largest_that_is_allowed():
    data = table(1.0, 3.0, 4.2, 4.3)
    found = cut(data)
    assert found.at == pytest.approx(4.2)  # 2 · 1.05 · the mean of the runs, 2
    assert larger(data, loss="own", at=4.2) == 1 == larger(data, loss="own", at=4.25)
    left = cut_losses(data, loss="own", at=4.25)
    assert left.scores[:, 1].tolist() == [1, 3, 4.2, 4.25]
    assert data.scores[3, 1] == 4.3 and not left.scores[:, 0].any()
    assert cut(data, most_loss=0.1).rows == 0


def test_a_loss_below_0_is_cut_as_far_above_it():
    """Of -2 as far as 4.2 is from 2."""
    assert cut(table(-1.0, -3.0, 0, 9)).at == pytest.approx(0.2)


def test_of_a_loss_of_0_there_is_no_share():
    with pytest.raises(UsageError, match="mean own of the incumbent's runs is 0"):
        cut(table(-1.0, 1.0, 5, 5))
