"""A corpus as a SeqIO source of documents, in an order made from a seed alone."""

import secrets
from collections.abc import Callable
from typing import Any

import seqio
import tensorflow as tf

from .. import corpora


class DocumentSource(seqio.DataSource):
    """Documents `{"document": index, "split": index}` of a corpus.

    Their text is read where it is tokenised (`tasks.objective_task`). The order is a
    permutation computed index by index: without a buffer, and the same for any number
    of hosts. Shard k of n takes every n-th document of it.
    """

    def __init__(self, corpus: corpora.Corpus):
        super().__init__(splits=corpus.splits, performs_internal_shuffling=True)
        self.corpus = corpus

    @property
    def supports_arbitrary_sharding(self) -> bool:
        return True

    def list_shards(self, split: str) -> list[str]:
        corpora.check_split(self.corpus, split)
        return [f"{self.corpus.name}-{split}"]

    def num_input_examples(self, split: str) -> int:
        corpora.check_split(self.corpus, split)
        return len(self.corpus.documents(split))

    def get_dataset(
        self,
        split: str = "train",
        shuffle: bool = True,
        seed: Any = None,
        shard_info: seqio.ShardInfo | None = None,
        **unused: Any,
    ) -> tf.data.Dataset:
        """The documents of a split, or of one shard of it.

        Args:
          split: name of the split.
          shuffle: whether to permute the documents.
          seed: of the permutation, a scalar of 64 bits; None draws one.
          shard_info: which shard; None for the whole split.
          **unused: other arguments that SeqIO passes to every source.
        """
        del unused
        corpora.check_split(self.corpus, split)
        size = len(self.corpus.documents(split))
        dataset = tf.data.Dataset.range(size)
        if shuffle:
            dataset = dataset.map(_permutation(size, seed))
        if shard_info is not None:
            dataset = dataset.shard(shard_info.num_shards, shard_info.index)

        place = tf.constant(self.corpus.splits.index(split), tf.int64)
        return dataset.map(lambda index: {"document": index, "split": place})


def _permutation(size: int, seed: Any) -> Callable[[tf.Tensor], tf.Tensor]:
    if seed is None:
        seed = secrets.randbits(62)
    seed = tf.cast(seed, tf.int64)
    low = tf.bitwise.bitwise_and(seed, 0xFFFFFFFF)
    high = tf.bitwise.bitwise_and(tf.bitwise.right_shift(seed, 32), 0xFFFFFFFF)
    words = tf.cast(tf.stack([low, high]), tf.uint32)

    random: Any = tf.random  # whose stubs leave `experimental` out

    def shuffled(index: tf.Tensor) -> tf.Tensor:
        last = tf.constant(size - 1, tf.int64)
        return random.experimental.index_shuffle(index, words, last)

    return shuffled
