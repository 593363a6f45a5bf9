"""SeqIO tasks, one per corpus and objective; importing this registers them all.

    import seqio
    import sightline.tasks.seqio_tasks

    task = seqio.get_mixture_or_task("python_docs.causal")
    task.get_dataset(sequence_length={"targets": 512}, split="train", seed=0)

The keys of `sequence_length` are the fields of `objectives.budget.Budget`. Features
are those of `objectives.example.Example`, and `example_id`: epoch, document, window.
"""

import dataclasses
import secrets
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import seqio
import tensorflow as tf

from ...objectives import registry
from ...objectives.errors import UsageError
from ...objectives.example import Example
from ...objectives.registry import CAPACITY, Objective
from .. import corpora
from ..examples.mixture import Mixture, split_task, task_names
from ..tokens.tokenised_documents import CorpusTokens
from ..tokens.vocabulary import vocabulary
from .document_source import DocumentSource
from .example_step import FEATURES, MakeExamples
from .tf_calls import is_closing, tracked, until_exit
from .vocabulary import SeqioVocabulary

_FOREVER = 2**62


class ObjectiveTask(seqio.Task):
    """A corpus read through an objective.

    Differs from a plain task in how it repeats, shuffles and seeds: each epoch is a
    pass of its own, in an order of documents and of windows made from seed, task and
    epoch (`windows.block_documents`), and each Example's randomness comes from seed,
    corpus, objective, epoch, document and window.
    """

    def get_dataset(
        self,
        sequence_length: Mapping[str, int] | None = None,
        split: str = "train",
        use_cached: bool = False,
        shuffle: bool = True,
        shuffle_buffer_size: int | None = None,
        seed: Any = None,
        shard_info: seqio.ShardInfo | None = None,
        num_epochs: int | None = 1,
        trim_output_features: bool = True,
        try_in_mem_cache: bool = True,
    ) -> tf.data.Dataset:
        """The Examples of a split; arguments and defaults as in `seqio.Task`.

        Raises:
          ValueError: no such split, no Example fits `sequence_length`, or a shuffle
            buffer is set.
        """
        del try_in_mem_cache  # would freeze the order of the first epoch
        if shuffle_buffer_size is not None:
            raise UsageError(
                f"shuffle_buffer_size is {shuffle_buffer_size}, but the windows of "
                f"{self.name!r} are shuffled without a buffer; leave it out."
            )
        steps: list[Any] = list(self.preprocessors)
        *before, step = steps
        corpora.check_split(step.texts.corpus, split)
        dataclasses.replace(step, sequence_length=sequence_length).check()
        run_seed = tf.cast(secrets.randbits(62) if seed is None else seed, tf.int64)

        @tf.autograph.experimental.do_not_convert
        def one_pass(epoch: tf.Tensor) -> tf.data.Dataset:
            bound = dataclasses.replace(
                step,
                split=split,
                seed=run_seed,
                epoch=epoch,
                shards=shard_info.num_shards if shard_info else 1,
            )

            def read(*, shuffle: bool) -> tf.data.Dataset:
                last = dataclasses.replace(bound, shuffled=shuffle)
                task: Any = self.replace(preprocessors=[*before, last])
                return task.get_dataset(
                    sequence_length=sequence_length,
                    split=split,
                    use_cached=use_cached,
                    seed=_order_seed(run_seed, self.name, epoch),
                    shard_info=shard_info,
                    num_epochs=1,
                    trim_output_features=trim_output_features,
                    try_in_mem_cache=False,
                    shuffle=shuffle,
                )

            examples = read(shuffle=shuffle)
            if num_epochs is not None:
                return examples
            # Without an end, an empty pass would be repeated for ever. Finding one
            # Example, in the order of the documents, costs little.
            zero = tf.constant(0, tf.int64)
            count = read(shuffle=False).take(1).reduce(zero, lambda n, _: n + 1)
            return examples.skip(bound.require(count))

        epochs = _FOREVER if num_epochs is None else num_epochs
        return until_exit(tf.data.Dataset.range(epochs)).flat_map(one_pass)


class StrictMixture(seqio.Mixture):
    """A SeqIO mixture that refuses a split that one of its tasks lacks."""

    def get_dataset(
        self,
        sequence_length: Mapping[str, int] | None = None,
        split: str = "train",
        *args: Any,
        **kwargs: Any,
    ) -> tf.data.Dataset:
        """As in `seqio.Mixture`, which would skip such a task and shift the rates."""
        for task in self.tasks:
            if split not in task.splits:
                raise UsageError(
                    f"task {task.name!r} of mixture {self.name!r} has no split "
                    f"{split!r}; its splits: {', '.join(task.splits)}."
                )
        return super().get_dataset(sequence_length, split, *args, **kwargs)


def objective_task(
    texts: CorpusTokens, objective: Objective, *, name: str | None = None
) -> ObjectiveTask:
    """The task of a corpus and an objective with its settings bound.

    Args:
      texts: the corpus in a vocabulary; tasks that share it share tokens.
      objective: with its settings bound.
      name: of the task; `corpus.objective` by default, with the `/` of a variant
        written `:`, as SeqIO requires. Part of the order's seed.
    """
    corpus = texts.corpus

    @tracked
    def read_tokens(document: np.int64, split: np.int64) -> np.ndarray:
        if is_closing():
            return np.zeros(0, np.int32)  # do not wait for the rest of a block
        return texts.split(corpus.splits[split])[int(document)]

    def tokenise(place: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        arguments = [place["document"], place["split"]]
        tokens = tf.numpy_function(read_tokens, arguments, tf.int32, stateful=False)
        tokens = tf.ensure_shape(tokens, [None])
        return {"document": place["document"], "tokens": tokens}

    def tokenise_all(dataset: tf.data.Dataset) -> tf.data.Dataset:
        return dataset.map(tokenise)

    # SeqIO finds cached tokens by the task's name alone, so only the default corpus,
    # in its own vocabulary, may be cached under it.
    own_vocabulary = texts.vocabulary.name == corpus.vocabulary
    cacheable = own_vocabulary and corpora.is_default(corpus)
    return ObjectiveTask(
        name or f"{corpus.name}.{objective.name}".replace("/", ":"),
        source=DocumentSource(corpus),
        output_features=_output_features(SeqioVocabulary(texts.vocabulary)),
        preprocessors=[
            tokenise_all,
            *([seqio.CacheDatasetPlaceholder()] if cacheable else []),
            MakeExamples(texts, objective),
        ],
        shuffle_buffer_size=None,  # windows are shuffled before Examples are made
    )


def seqio_mixture(mixture: Mixture) -> StrictMixture:
    """The SeqIO mixture of a `Mixture`: its vocabulary and settings in every task."""
    vocab = vocabulary(mixture.vocabulary)
    names = {split_task(task)[0]: None for task in mixture.positive_rates()}
    texts = {name: CorpusTokens(mixture.corpus(name), vocab) for name in names}
    tasks = []
    for task, rate in mixture.positive_rates().items():
        corpus, objective = split_task(task)
        seqio_task = objective_task(texts[corpus], mixture.objective(objective))
        tasks.append((seqio_task, rate))
    return StrictMixture(mixture.name, tasks)


def to_example(features: Mapping[str, np.ndarray]) -> Example:
    """The Example of one element of a task's dataset, as NumPy arrays."""
    arrays = {name: features[name] for name in Example._fields}
    return Example(**{**arrays, "objective": int(arrays["objective"][0])})


def register() -> None:
    """Adds every corpus × objective to SeqIO's registry; idempotent."""
    registered = seqio.TaskRegistry.names()
    for task in task_names():
        if task not in registered:
            corpus = corpora.get(split_task(task)[0])
            objective = registry.get(split_task(task)[1])
            texts = CorpusTokens(corpus, vocabulary(corpus.vocabulary))
            seqio_task = objective_task(texts, objective)
            seqio.TaskRegistry.add_provider(task, seqio_task)


def _output_features(vocab: SeqioVocabulary) -> dict[str, Any]:
    integers = seqio.PassThroughVocabulary(size=CAPACITY)
    token_features = ("inputs", "targets", "inputs_targets", "targets_shown")
    return {
        name: seqio.Feature(
            vocab if name in token_features else integers,
            add_eos=False,
            required=True,
            dtype=tf.float32 if dtype is np.float32 else tf.int32,
            rank=1,
        )
        for name, dtype in FEATURES.items()
    }


def _order_seed(seed: tf.Tensor, task: str, epoch: tf.Tensor) -> tf.Tensor:
    """One scalar from the run's seed, the task's name and the epoch.

    SeqIO gives every task of a mixture the same seed. Folding the name in keeps two
    tasks on one corpus from reading the same documents at the same time.
    """
    name = tf.constant(zlib.crc32(task.encode()), tf.int64)
    return _fold(_fold(seed, name), epoch)


def _fold(seed: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    """A scalar of 64 random bits from two such scalars; the same on every device."""
    draw: Any = tf.random.stateless_uniform  # its annotations forbid a full range
    return draw([], tf.stack([seed, value]), None, None, tf.int64, alg="philox")


register()
