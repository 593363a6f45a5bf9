"""The last step of a task's pipeline: documents to Examples."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ...objectives.budget import Budget
from ...objectives.errors import UsageError
from ...objectives.example import Example
from ...objectives.registry import Objective
from .. import corpora
from ..examples.windows import document_examples, windows
from ..tokens.tokenised_documents import TokenisedDocuments
from ..tokens.vocabulary import Vocabulary
from .tf_calls import tracked, until_exit

FEATURES = {
    name: np.float32 if name.endswith("_weights") else np.int32
    for name in Example._fields
}
"""The features of an Example, each of rank 1; `objective` has length 1."""


@dataclasses.dataclass(frozen=True)
class MakeExamples:
    """Cuts documents into windows and makes the Example of each.

    SeqIO fills in `sequence_length` where it runs a step that has this field.

    Attributes:
      corpus: where other documents are drawn.
      objective: with its settings bound.
      vocabulary: of the tokens.
      split: that the documents are of.
      seed: the run's seed, a scalar of 64 bits.
      epoch: which pass over the corpus this is, a scalar.
      sequence_length: bounds of an Example (`Budget`); None: whole documents.
    """

    corpus: corpora.Corpus
    objective: Objective
    vocabulary: Vocabulary
    split: str = "train"
    seed: Any = None
    epoch: Any = None
    sequence_length: Mapping[str, int] | None = None

    def __call__(self, dataset: tf.data.Dataset) -> tf.data.Dataset:
        """`{"document", "tokens"}` to the features of Examples and `example_id`.

        Raises:
          ValueError: there is no seed or epoch: SeqIO's `Task.replace` drops them.
        """
        if self.seed is None or self.epoch is None:
            raise UsageError(
                f"the examples of {self.objective.name!r} have no seed or no epoch: a "
                "task changed by Task.replace makes none; use objective_task instead."
            )
        make = self._maker()

        def examples_of(document: dict[str, tf.Tensor]) -> tf.data.Dataset:
            place = (self.seed, self.epoch, document["document"])
            place = tf.stack([tf.cast(part, tf.int64) for part in place])
            types = [tf.int32, tf.float32, tf.int64, tf.int64]
            ints, floats, bounds, example_ids = tf.numpy_function(
                make, [document["tokens"], place], types, stateful=False
            )
            ints, floats = (
                tf.ensure_shape(ints, [None]),
                tf.ensure_shape(floats, [None]),
            )
            bounds = tf.ensure_shape(bounds, [None, len(FEATURES), 2])
            example_ids = tf.ensure_shape(example_ids, [None, 3])

            def example_of(bound, example_id) -> dict[str, tf.Tensor]:
                features = {
                    name: (floats if dtype == np.float32 else ints)[start:stop]
                    for (name, dtype), (start, stop) in zip(
                        FEATURES.items(),
                        map(tf.unstack, tf.unstack(bound)),
                        strict=True,
                    )
                }
                return {**features, "example_id": example_id}

            rows = tf.data.Dataset.from_tensor_slices((bounds, example_ids))
            return rows.map(example_of)

        return until_exit(dataset).flat_map(examples_of)

    def require(self, count: tf.Tensor) -> tf.Tensor:
        """0, once there is an Example; to be added where the pass depends on it.

        Args:
          count: Examples found in a pass; 0 if there are none.

        Raises:
          UsageError: as the pipeline runs: there are none; the message says why.
        """

        @tracked
        def zero(found: np.int64) -> np.int64:
            if not found:
                raise self._nothing()
            return np.int64(0)

        return tf.ensure_shape(tf.numpy_function(zero, [count], tf.int64), [])

    def _nothing(self) -> UsageError:
        documents = TokenisedDocuments(self.corpus, self.split, self.vocabulary)
        longest = max(len(documents[index]) for index in range(len(documents)))
        return UsageError(
            f"{self.objective.name!r} finds no text in {documents.name}: it takes "
            f"{self.objective.smallest()} tokens or more, and the longest of the "
            f"{len(documents):,} documents has {longest}. Give longer documents, fewer "
            "shards, or the objective a rate of 0."
        )

    def check(self) -> None:
        """Raises ValueError where no Example fits `sequence_length`."""
        if self.sequence_length is not None:
            self.objective.window(Budget.from_sequence_length(self.sequence_length))

    def _cutter(self) -> Callable[[int], list[tuple[int, int]]]:
        """A function from a document's length to its windows."""
        smallest = self.objective.smallest()
        if self.sequence_length is not None:
            budget = Budget.from_sequence_length(self.sequence_length)
            window = self.objective.window(budget)
            return functools.partial(windows, window=window, smallest=smallest)

        def whole(length: int) -> list[tuple[int, int]]:
            if length >= smallest and self.objective.lengths(length) is None:
                raise UsageError(
                    f"{self.objective.name!r} does not take a whole document of "
                    f"{length} tokens as one window; give sequence_length."
                )
            return windows(length, window=max(length, 1), smallest=smallest)

        return whole

    def _maker(self) -> Callable[..., tuple[np.ndarray, ...]]:
        """A function from a document to its Examples, flattened (`_flatten`).

        One call a document: a call from TensorFlow costs more than an Example.
        """
        cut = self._cutter()
        documents = TokenisedDocuments(self.corpus, self.split, self.vocabulary)
        ids = self.vocabulary.special_ids

        @tracked
        def make(tokens: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, ...]:
            seed, epoch, document = (int(part) for part in place)
            made = list(
                document_examples(
                    self.objective,
                    documents,
                    document,
                    tokens,
                    cut(len(tokens)),
                    ids=ids,
                    seed=seed,
                    epoch=epoch,
                )
            )
            example_ids = [(epoch, document, window) for window, _ in made]
            examples = [example for _, example in made]
            return *_flatten(examples), np.array(example_ids, np.int64).reshape(-1, 3)

        return make


def _flatten(examples: list[Example]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All integers, all floats, and where each feature of each Example stands there.

    Returns:
      int32 [integers], float32 [floats], and int64 [examples, features, 2], the
      interval `[start, stop)` of each feature in the array of its type.
    """
    parts: dict[type, list[np.ndarray]] = {np.int32: [], np.float32: []}
    filled = {np.int32: 0, np.float32: 0}
    bounds = np.zeros((len(examples), len(FEATURES), 2), np.int64)
    for row, example in enumerate(examples):
        for column, (value, dtype) in enumerate(
            zip(example, FEATURES.values(), strict=True)
        ):
            array = np.atleast_1d(np.asarray(value, dtype))
            bounds[row, column] = filled[dtype], filled[dtype] + len(array)
            filled[dtype] += len(array)
            parts[dtype].append(array)
    ints, floats = (
        np.concatenate([np.zeros(0, dtype), *arrays]) for dtype, arrays in parts.items()
    )
    return ints, floats, bounds
