"""t5's own span corruption with SeqIO's packing, to compare speeds with ours."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import seqio
import tensorflow as tf
from t5.data import preprocessors

from ..tokens.vocabulary import Vocabulary
from .vocabulary import SeqioVocabulary


def targets_length(inputs_length: int) -> int:
    """Slots for the targets of a row of this many inputs, as t5 computes it."""
    _, targets = preprocessors.random_spans_helper(
        extra_tokens_per_span_inputs=1,
        extra_tokens_per_span_targets=1,
        inputs_length=inputs_length,
        mean_noise_span_length=3.0,
        noise_density=0.15,
    )
    return targets


def t5_rows(
    tokens: Sequence[np.ndarray], vocabulary: Vocabulary, *, inputs_length: int
) -> Iterator[int]:
    """The number of tokens in each packed row, without end.

    `t5.data.preprocessors.span_corruption` as it is, which concatenates documents and
    splits them, then EOS, then `seqio.utils.trim_and_pack_dataset`.

    Args:
      tokens: of documents, in memory.
      vocabulary: of the tokens.
      inputs_length: slots for the inputs of a row.
    """
    lengths = {"inputs": inputs_length, "targets": targets_length(inputs_length)}
    words = SeqioVocabulary(vocabulary)
    features = {name: seqio.Feature(words, add_eos=True) for name in lengths}
    ragged: Any = tf.RaggedTensor  # whose stubs leave its factories out
    texts = ragged.from_row_lengths(
        np.concatenate(tokens), [len(document) for document in tokens]
    )
    dataset: tf.data.Dataset = tf.data.Dataset.from_tensor_slices(texts)
    dataset = dataset.map(
        lambda document: {"targets": tf.ensure_shape(document, [None])}
    )
    dataset = dataset.shuffle(len(tokens)).repeat()
    dataset = preprocessors.span_corruption(dataset, lengths, features)
    dataset = seqio.preprocessors.append_eos_after_trim(
        dataset, features, sequence_length=lengths
    )
    packed = seqio.utils.trim_and_pack_dataset(dataset, lengths)
    for row in packed.as_numpy_iterator():
        yield sum(int((row[f"{name}_segment_ids"] > 0).sum()) for name in lengths)
