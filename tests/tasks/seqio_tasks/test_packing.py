"""SeqIO's packer and t5's lengths, which ours are compared with, are these."""

import numpy as np
import pytest

from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.tasks.rows.layout import Placed, Slots
from sightline.tasks.seqio_tasks.packing import seqio_filled
from sightline.tasks.seqio_tasks.t5_rows import targets_length

pytestmark = pytest.mark.unchecked

NONE = np.zeros(0, np.int32)


def placed(slots, encoder=None):
    def of_size(size):
        ones = np.ones(size, np.int32)
        return Slots(ones, ones, ones, ones, NONE, NONE, np.zeros(0, np.float32))

    return Placed(0, of_size(slots), None if encoder is None else of_size(encoder))


def test_examples_share_rows_in_which_both_streams_have_room():
    shape = encoder_decoder_rows(
        slots=10, predictions=1, memory_slots=20, memory_predictions=1
    )
    # Two fit by the decoder's slots, and by the encoder's only the short ones.
    long, short = placed(5, 15), placed(5, 10)
    assert seqio_filled([long, long], shape) == (2, pytest.approx(40 / 60))
    assert seqio_filled([short, short], shape) == (1, 1)


def test_rows_of_a_decoder_hold_every_slot():
    examples = [placed(n) for n in (7, 4, 3, 3)]
    shape = decoder_rows(slots=10, predictions=1)
    assert seqio_filled(examples, shape) == (2, pytest.approx(17 / 20))


def test_512_inputs_have_114_targets_as_t5_was_trained():
    assert targets_length(512) == 114
