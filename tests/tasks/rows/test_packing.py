"""First-fit packing: nothing lost, nothing cut, no capacity exceeded."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.tasks.rows.layout import Placed, Slots, capacities
from sightline.tasks.rows.packing import collate, first_fit

DECODER = decoder_rows(slots=32, predictions=20)
BOTH = encoder_decoder_rows(
    slots=32, predictions=20, memory_slots=24, memory_predictions=8
)


def slots(size: int, predictions: int, *, token: int = 7) -> Slots:
    """`size` slots that hold `token`, the first `predictions` of which predict."""
    numbers = np.arange(size, dtype=np.int32)
    return Slots(
        tokens=np.full(size, token, np.int32),
        positions=numbers,
        query_positions=numbers,
        visible_to=np.full(size, size, np.int32),
        prediction_slots=numbers[:predictions],
        targets=np.full(predictions, token, np.int32),
        loss_weights=np.ones(predictions, np.float32),
    )


sizes = st.tuples(st.integers(1, 32), st.integers(0, 20)).map(
    lambda pair: (pair[0], min(pair))
)
memory_sizes = st.tuples(st.integers(0, 24), st.integers(0, 8)).map(
    lambda pair: (pair[0], min(pair))
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(sizes, memory_sizes), max_size=40), st.integers(1, 8))
def test_every_example_is_in_one_row_and_no_row_is_overfull(needs, look_back):
    examples = [
        Placed(number, slots(*decoder), slots(*encoder))
        for number, (decoder, encoder) in enumerate(needs)
    ]
    rows = list(first_fit(examples, BOTH, look_back=look_back))
    numbers = sorted(example.objective for row in rows for example in row)
    assert numbers == list(range(len(examples)))
    for row in rows:
        used = np.sum([example.sizes for example in row], axis=0)
        assert (used <= capacities(BOTH)).all()
        assert [e.objective for e in row] == sorted(e.objective for e in row)
    again = list(first_fit(examples, BOTH, look_back=look_back))
    assert [[e.objective for e in r] for r in rows] == [
        [e.objective for e in r] for r in again
    ]


def test_an_example_goes_to_the_first_row_with_room_for_all_of_it():
    """The third has slots left in row 0 but no predictions; the fourth has both."""
    needs = [(20, 20), (20, 5), (10, 5), (12, 0)]
    examples = [Placed(n, slots(*need), None) for n, need in enumerate(needs)]
    rows = list(first_fit(examples, DECODER))
    assert [[e.objective for e in row] for row in rows] == [[0, 3], [1, 2]]


def numbers(rows):
    return [[example.objective for example in row] for row in rows]


def test_the_fullest_row_is_closed_first():
    """Of rows alike, the oldest; the emptiest stays open for what comes."""
    sizes = [20, 30, 31, 31, 12]
    examples = [Placed(n, slots(size, 1), None) for n, size in enumerate(sizes)]
    assert numbers(first_fit(examples, DECODER, look_back=2)) == [[2], [3], [0, 4], [1]]


def test_no_example_waits_for_ever():
    """The first leaves room that nothing fits; it goes after 4 Examples a row."""
    rest = [Placed(n, slots(31, 1), None) for n in range(1, 60)]
    rows = numbers(
        first_fit([Placed(0, slots(20, 1), None), *rest], DECODER, look_back=2)
    )
    assert rows.index([0]) == 7
    assert [n for row in rows for n in row if n] == list(range(1, 60))


@pytest.mark.parametrize("need", [(33, 1), (21, 21), (0, 0)])
def test_what_fits_no_row_is_refused_and_not_cut(need):
    with pytest.raises(
        ValueError, match="it must not be empty, nor larger than the row"
    ):
        list(first_fit([Placed(3, slots(*need), None)], DECODER))


def test_a_zero_inside_an_example_is_a_token_like_any_other():
    """SeqIO counts non-zero ids, so an interior 0 shifts what follows it."""
    inner = slots(5, 2)
    inner.tokens[2] = 0
    batch = collate([[Placed(1, inner, None), Placed(2, slots(4, 1), None)]], DECODER)
    assert batch.decoder.segment_ids[0, :10].tolist() == [1] * 5 + [2] * 4 + [0]
    assert batch.decoder.visible_to[0, :9].tolist() == [5] * 5 + [9] * 4
    assert batch.decoder.visible_from[0, :9].tolist() == [0] * 5 + [5] * 4


def test_streams_are_packed_independently_within_a_row():
    """Decoder-only Examples fill what encoder-only ones leave free, in one row."""
    masked = Placed(1, slots(0, 0), slots(24, 4))
    causal = Placed(0, slots(32, 20), slots(0, 0))
    (row,) = first_fit([masked, causal], BOTH)
    batch = collate([row], BOTH)
    assert (batch.encoder.segment_ids == 1).all()
    assert (batch.decoder.segment_ids == 2).all()
    assert (
        not batch.memory.memory_to.any()
        or (batch.memory.memory_from == batch.memory.memory_to).all()
    )
