"""Packed rows of every objective, as attention sees them."""

from typing import NamedTuple

import numpy as np
import pytest

from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.objectives import registry
from sightline.tasks.rows.layout import lay_out
from sightline.tasks.rows.packing import collate, first_fit

ROWS, SLOTS = 2, 64
_DECODER = decoder_rows(slots=SLOTS, predictions=SLOTS)
_BOTH = encoder_decoder_rows(
    slots=SLOTS, predictions=SLOTS, memory_slots=SLOTS, memory_predictions=SLOTS
)


class Packed(NamedTuple):
    """Of a stream: what each slot sees; and where it stands, unless it is across."""

    start: np.ndarray
    stop: np.ndarray
    query_positions: np.ndarray | None = None
    positions: np.ndarray | None = None


@pytest.fixture
def packed(make_text, ids):
    """`packed(objective)`: two packed rows of a decoder, and of an encoder–decoder."""

    def of(name: str):
        rng = np.random.default_rng(0)
        objective = registry.get(name)
        examples = [
            objective(make_text(int(size), seed=n), rng, ids)
            for n, size in enumerate(rng.integers(12, 24, 16))
        ]
        for shape in _DECODER, _BOTH:
            placed = lay_out(examples, shape, bos=ids.bos).placed()
            batch = collate(list(first_fit(placed, shape, look_back=4))[:ROWS], shape)
            for stream in batch.decoder, batch.encoder:
                if stream is not None and stream.segment_ids.any():
                    seen = stream.visible_from, stream.visible_to
                    yield Packed(*seen, stream.query_positions, stream.positions)
            if batch.memory is not None and batch.memory.memory_to.any():
                yield Packed(*batch.memory)

    return of
