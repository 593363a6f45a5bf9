"""SeqIO's own packing of laid-out Examples, to compare with `packing.first_fit`."""

from collections.abc import Sequence

import numpy as np
import seqio
import tensorflow as tf

from ...models.rows import RowShape
from ..rows.layout import Placed


def seqio_filled(examples: Sequence[Placed], shape: RowShape) -> tuple[int, float]:
    """How many rows SeqIO's packer makes of the Examples, and how full they are.

    It knows the lengths of features but not predictions, so it gets the slots of each
    stream, as ones, and predictions do not limit it.

    Args:
      examples: laid out for these rows.
      shape: capacities of a row.

    Returns:
      The number of rows, and the share of their slots that is filled.
    """
    streams = ("decoder",) if shape.encoder is None else ("decoder", "encoder")
    lengths = {name: getattr(shape, name).slots for name in streams}

    def features():
        for example in examples:
            yield {
                name: np.ones(getattr(example, name).size.slots, np.int32)
                for name in streams
            }

    signature = {name: tf.TensorSpec([None], tf.int32) for name in streams}
    dataset = tf.data.Dataset.from_generator(features, output_signature=signature)
    rows = filled = 0
    for row in seqio.utils.trim_and_pack_dataset(dataset, lengths).as_numpy_iterator():
        rows += 1
        filled += sum(int((row[name] > 0).sum()) for name in streams)
    return rows, filled / (rows * sum(lengths.values()))
