"""Batches and the thread that makes them."""

import threading
import time

import numpy as np
import pytest

from sightline.models.rows import decoder_rows
from sightline.objectives import registry
from sightline.tasks.rows.batches import batches, prefetch

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


def test_prefetch_keeps_the_order_and_ends():
    assert list(prefetch(range(100), ahead=3)) == list(range(100))


def test_prefetch_raises_the_makers_error_in_its_place():
    def items():
        yield 1
        raise KeyError("bad record")

    stream = prefetch(items(), ahead=8)
    assert next(stream) == 1
    with pytest.raises(KeyError, match="bad record"):
        next(stream)


def test_prefetch_begins_before_the_first_item_is_taken():
    begun = threading.Event()

    def items():
        begun.set()
        yield 1

    stream = prefetch(items(), ahead=1)
    assert begun.wait(timeout=5)
    assert list(stream) == [1]


def test_prefetch_stops_its_thread_when_closed():
    def running():
        return [t for t in threading.enumerate() if t.name == "sightline-prefetch"]

    before = len(running())
    stream = prefetch(iter(int, 1), ahead=2)
    next(stream)
    assert len(running()) == before + 1
    stream.close()
    deadline = time.monotonic() + 5
    while len(running()) > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(running()) == before
