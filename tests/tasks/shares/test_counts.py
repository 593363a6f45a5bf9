"""Counts of a packed batch against counts of its Examples."""

import numpy as np
import pytest

from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.objectives import registry
from sightline.tasks.rows.layout import layout
from sightline.tasks.rows.packing import collate, first_fit
from sightline.tasks.shares.counts import add, count, utilisation, zero_counts


@pytest.mark.parametrize(
    "shape",
    [
        decoder_rows(slots=200, predictions=150),
        encoder_decoder_rows(
            slots=150, predictions=150, memory_slots=200, memory_predictions=60
        ),
    ],
)
def test_counts_are_those_of_the_examples(shape, make_text, ids):
    rng = np.random.default_rng(0)
    names = list(registry.objectives())
    examples = [
        registry.get(names[n % len(names)])(make_text(20 + n), rng, ids)
        for n in range(40)
    ]
    rows = list(first_fit(map(layout(shape, bos=ids.bos), examples), shape))
    whole = count(collate(rows, shape))
    halves = add(count(collate(rows[:3], shape)), count(collate(rows[3:], shape)))
    for name, objective in registry.objectives().items():
        mine = [e for e in examples if e.objective == objective.id]
        predicted = sum(
            (e.inputs_weights > 0).sum() + (e.targets_weights > 0).sum() for e in mine
        )
        assert whole.examples[objective.id] == len(mine), name
        assert whole.supervised[objective.id] == predicted, name
        slots = sum(len(e.inputs) + len(e.targets) for e in mine)
        assert whole.processed[objective.id] == slots, name
    for one, other in zip(whole, halves, strict=True):
        np.testing.assert_array_equal(one, other)
    assert abs(whole.shares()["examples"].sum() - 1) < 1e-9


def test_nothing_has_no_shares():
    assert not any(share.any() for share in zero_counts().shares().values())


def test_utilisation_is_the_filled_share(make_text, ids):
    shape = decoder_rows(slots=100, predictions=80)
    example = registry.get("causal")(make_text(60), np.random.default_rng(0), ids)
    batch = collate([[layout(shape, bos=ids.bos)(example)]], shape)
    assert utilisation([batch]) == {"slots": 0.6, "predictions": 0.75}
