"""A vocabulary with SeqIO's interface. Imports TensorFlow."""

from collections.abc import Iterable, Sequence
from typing import Any, SupportsInt

import numpy as np
import seqio
import tensorflow as tf

from ..tokens.vocabulary import SENTINELS, Vocabulary
from .tf_calls import tracked


class SeqioVocabulary(seqio.Vocabulary):
    """A `Vocabulary` with SeqIO's interface; equal if the digests are.

    SeqIO's `extra_ids` are the sentinels, the last ids as in SeqIO and T5; no text
    spells one.
    """

    def __init__(self, vocabulary: Vocabulary):
        super().__init__(extra_ids=SENTINELS)
        self.vocabulary = vocabulary

    @property
    def bos_id(self) -> int:
        return self.vocabulary.special_ids.bos

    @property
    def eos_id(self) -> int:
        return self.vocabulary.special_ids.eos

    @property
    def pad_id(self) -> int:
        return self.vocabulary.special_ids.pad

    @property
    def unk_id(self) -> int | None:
        return self.vocabulary.unk

    @property
    def _base_vocab_size(self) -> int:
        return self.vocabulary.size - SENTINELS

    def decode(self, ids: Iterable[SupportsInt]) -> str:
        """The text of ids through the first EOS; reserved ids show as names."""
        id_list = [int(i) for i in np.asarray(ids).tolist()]
        if self.eos_id in id_list:
            id_list = id_list[: id_list.index(self.eos_id) + 1]
        return self._decode(id_list)

    def decode_tf(self, ids: tf.Tensor) -> tf.Tensor:
        """`decode` of a tensor of ids, row by row."""
        return self._decode_tf(ids)

    def _encode(self, s: str) -> Sequence[int]:
        return self.vocabulary.encode(s).tolist()

    def _decode(self, ids: Sequence[int]) -> str:
        return self.vocabulary.decode(ids)

    def _encode_tf(self, s: tf.Tensor) -> tf.Tensor:
        @tracked
        def encode(text: Any) -> np.ndarray:  # bytes, or in eager mode an array of them
            return self.vocabulary.encode(np.asarray(text, object).item().decode())

        ids = tf.numpy_function(encode, [s], tf.int32, stateful=False)
        ids.set_shape([None])
        return ids

    def _decode_tf(self, ids: tf.Tensor) -> tf.Tensor:
        @tracked
        def decode(rows: np.ndarray) -> np.ndarray:
            flat = rows.reshape(-1, rows.shape[-1])
            texts = [self.decode(row).encode() for row in flat]
            return np.array(texts, object).reshape(rows.shape[:-1])

        texts = tf.numpy_function(decode, [ids], tf.string, stateful=False)
        texts.set_shape(ids.shape[:-1])
        return texts

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SeqioVocabulary):
            return False
        return self.vocabulary.digest == other.vocabulary.digest

    def __hash__(self) -> int:
        return hash(self.vocabulary.digest)
