"""Measured shares, and how rows are filled."""

import numpy as np
import pytest

from sightline.models.rows import decoder_rows
from sightline.objectives import registry
from sightline.objectives.registry import CAPACITY
from sightline.tasks.rows.layout import layout
from sightline.tasks.rows.packing import LOOK_BACK
from sightline.tasks.shares.share_estimates import (
    loss_shares,
    pack,
    shares,
    sizes,
)

CAUSAL, MASKED = registry.get("causal").id, registry.get("masked").id
ROWS = decoder_rows(slots=40, predictions=40)


@pytest.fixture
def placed(make_text, ids):
    """`placed(names)`: an Example of 20 tokens of each objective, laid out."""
    place, rng = layout(ROWS, bos=ids.bos), np.random.default_rng(0)

    def make(names):
        text = make_text(60, 0, 20)
        return [place(registry.get(name)(text, rng, ids)) for name in names]

    return make


def test_shares_by_hand(placed):
    found = shares(sizes(placed(["causal", "masked", "masked", "masked"])))
    assert found["examples"][[CAUSAL, MASKED]].tolist() == [0.25, 0.75]
    assert found["processed"][[CAUSAL, MASKED]].tolist() == [0.25, 0.75]
    supervised = found["supervised"][[CAUSAL, MASKED]]
    np.testing.assert_allclose(supervised, [20 / 29, 9 / 29])
    assert all(share.sum() == pytest.approx(1) for share in found.values())


def test_rows_that_are_open_at_the_end_do_not_count(placed):
    examples = placed(["causal"] * (2 * LOOK_BACK + 11))
    packed = pack(examples, ROWS)
    assert len(packed.rows) == 6
    assert packed.filled == {"slots": 1.0, "predictions": 1.0}
    assert packed.slots == 1.0
    with pytest.raises(ValueError, match="close no row of \\(40, 40\\)"):
        pack(examples[:8], ROWS)


def test_an_objective_that_is_absent_from_a_batch_loses_its_share(placed):
    causal, masked = placed(["causal", "masked"])
    asked = np.zeros(CAPACITY)
    asked[[CAUSAL, MASKED]] = 0.5
    rows = [[causal], [causal], [masked], [causal, masked]]
    alone = loss_shares(rows, asked, batch_rows=1)
    np.testing.assert_allclose(alone[[CAUSAL, MASKED]], [3 / 5, 2 / 5])
    together = loss_shares(rows, asked, batch_rows=4)
    np.testing.assert_allclose(together[[CAUSAL, MASKED]], [0.5, 0.5])
    few = loss_shares(rows, asked, batch_rows=99)
    np.testing.assert_allclose(few, together)


def test_without_a_share_of_the_loss_there_is_none(placed):
    """Only objectives whose share is 0 are there."""
    rows = [placed(["causal", "causal"])]
    wanted = np.zeros(CAPACITY)
    assert not loss_shares(rows, wanted, batch_rows=1).any()
    wanted[MASKED] = 1.0
    assert not loss_shares(rows, wanted, batch_rows=1).any()
