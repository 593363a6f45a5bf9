"""Batches of Examples."""

import numpy as np
import pytest

from sightline.models.rows import decoder_rows
from sightline.objectives import registry
from sightline.tasks.rows.batches import batches

ROWS = decoder_rows(slots=64, predictions=64)


@pytest.fixture
def some_examples(make_text, ids):
    rng = np.random.default_rng(0)
    return [registry.get("causal")(make_text(40), rng, ids) for _ in range(7)]


def test_a_last_smaller_batch_is_filled_with_empty_rows(some_examples, ids):
    made = list(
        batches(some_examples, ROWS, batch_rows=2, ids=ids, vocabulary_size=1200)
    )
    assert [batch.decoder.tokens.shape for batch in made] == [(2, 64)] * 4
    last = made[-1].decoder
    assert last.segment_ids[0].any() and last.loss_weights[0].any()
    assert not any(array[1].any() for array in last)


@pytest.mark.parametrize("bad", [-1, 1200])
@pytest.mark.parametrize("part", ["targets", "tokens"])
def test_an_id_outside_the_vocabulary_is_an_error(some_examples, ids, bad, part):
    example = some_examples[0]
    place = 39 if part == "targets" else 3  # the last target is held by no slot
    example.targets[place] = bad
    with pytest.raises(
        ValueError, match=rf"is {bad}, outside the vocabulary \[0, 1200"
    ):
        list(batches(some_examples, ROWS, batch_rows=1, ids=ids, vocabulary_size=1200))
