"""Rows as bytes and back."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.models.rows import Batch, Memory, Stream, decoder_rows
from sightline.objectives.errors import UsageError
from sightline.tasks.recorded.row_format import RowFormat, decode, encode, smallest_type

from .conftest import ROWS


def random_batch(shape, rows, seed):
    rng = np.random.default_rng(seed)

    def stream(capacity):
        slots = [rng.integers(0, 40, (rows, capacity.slots)) for _ in range(6)]
        targets = [rng.integers(0, 30, (rows, capacity.predictions)) for _ in range(4)]
        arrays = [array.astype(np.int32) for array in (*slots, *targets)]
        weights = rng.random((rows, capacity.predictions)).astype(np.float32)
        return Stream(*arrays)._replace(loss_weights=weights)

    if shape.encoder is None:
        return Batch(stream(shape.decoder))
    size = (rows, shape.decoder.slots)
    memory = [rng.integers(0, 64, size).astype(np.int32) for _ in range(2)]
    return Batch(stream(shape.decoder), stream(shape.encoder), Memory(*memory))


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(sorted(ROWS)), st.integers(0, 5), st.sampled_from([50, 300, 70_000])
)
def test_rows_come_back_bit_for_bit(architecture, rows, vocabulary):
    batch = random_batch(ROWS[architecture], rows, vocabulary)
    row_format = RowFormat(ROWS[architecture], vocabulary, vocabulary)
    records = encode(batch, row_format)
    assert {len(record) for record in records} <= {row_format.dtype().itemsize}
    again = decode(records, row_format)
    for before, after in zip(batch, again, strict=True):
        for name, values in before._asdict().items() if before else ():
            found = getattr(after, name)
            assert found.dtype == values.dtype
            np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("id_", [-1, 50])
def test_ids_outside_the_vocabulary_are_refused(id_):
    shape = decoder_rows(slots=4, predictions=2)
    batch = random_batch(shape, 1, 0)
    batch.decoder.targets[0, 1] = id_
    with pytest.raises(
        UsageError, match=rf"decoder.targets of a row is {id_}, outside"
    ):
        encode(batch, RowFormat(shape, 50, 60))


def test_a_value_that_does_not_fit_is_no_silent_wrap():
    shape = decoder_rows(slots=4, predictions=2)
    batch = random_batch(shape, 1, 0)
    batch.decoder.positions[0, 0] = 300
    with pytest.raises(OverflowError, match=r"decoder.positions has .* 300: uint8"):
        encode(batch, RowFormat(shape, 50, 60))


def test_types_are_the_smallest():
    assert [smallest_type(n) for n in (255, 256, 65535, 65536)] == [
        "uint8",
        "uint16",
        "uint16",
        "uint32",
    ]
