"""The last step of a task's pipeline: documents to Examples."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from jaxtyping import Int64

from ...objectives.budget import Budget
from ...objectives.errors import UsageError
from ...objectives.example import Example
from ...objectives.registry import Objective
from ..examples.task_windows import too_short
from ..examples.windows import (
    Cut,
    Span,
    block_documents,
    block_windows,
    example_rng,
    window_examples,
    windows,
)
from ..tokens.tokenised_documents import CorpusTokens
from .tf_calls import tracked, until_exit

_IN_ORDER = 16
"""Documents read together if nothing is shuffled."""

_GROUP = 32
"""Examples made by one call from TensorFlow."""

FEATURES = {
    name: np.float32 if name.endswith("_weights") else np.int32
    for name in Example._fields
}
"""The features of an Example, each of rank 1; `objective` has length 1."""


@dataclasses.dataclass(frozen=True)
class MakeExamples:
    """Cuts documents into windows and makes the Example of each.

    SeqIO fills in `sequence_length` when it runs a step with this field.

    Attributes:
      texts: the corpus, source of other documents, and its vocabulary.
      objective: with its settings bound.
      split: of the documents.
      seed: the run's seed, a scalar of 64 bits.
      epoch: which pass over the corpus this is, a scalar.
      shuffled: whether windows come in a random order, over the whole epoch if it is
        not too large (`windows.block_documents`), or in the order of the text.
      shards: number of shards of the documents.
      sequence_length: bounds of an Example (`Budget`); None: whole documents.
    """

    texts: CorpusTokens
    objective: Objective
    split: str = "train"
    seed: Any = None
    epoch: Any = None
    shuffled: bool = False
    shards: int = 1
    sequence_length: Mapping[str, int] | None = None

    def __call__(self, dataset: tf.data.Dataset) -> tf.data.Dataset:
        """`{"document", "tokens"}` to the features of Examples and `example_id`.

        Raises:
          ValueError: no seed or epoch: SeqIO's `Task.replace` drops them.
        """
        if self.seed is None or self.epoch is None:
            raise UsageError(
                f"the examples of {self.objective.name!r} have no seed or no epoch: a "
                "task changed by Task.replace makes none; use objective_task instead."
            )
        plan, make = self._planner(), self._maker()
        place = tf.stack([tf.cast(part, tf.int64) for part in (self.seed, self.epoch)])

        def examples_of(block: dict[str, Any]) -> tf.data.Dataset:
            tokens, starts = block["tokens"].values, block["tokens"].row_splits
            texts = (tokens, starts, block["document"])
            spans = tf.numpy_function(plan, [*texts[1:], place], tf.int64)
            spans = tf.ensure_shape(spans, [None, 4])
            groups = tf.data.Dataset.from_tensor_slices(spans).batch(_GROUP)
            return groups.flat_map(lambda group: some_examples(group, *texts))

        def some_examples(group, *texts) -> tf.data.Dataset:
            types = [tf.int32, tf.float32, tf.int64, tf.int64]
            ints, floats, bounds, example_ids = tf.numpy_function(
                make, [group, *texts, place], types, stateful=False
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

        size = self._block_size() if self.shuffled else _IN_ORDER
        blocks: Any = dataset.ragged_batch(size)  # typed for one tensor
        return until_exit(blocks).flat_map(examples_of)

    def require(self, count: tf.Tensor) -> tf.Tensor:
        """0 if there is an Example; add it to a value that the pass depends on.

        Args:
          count: number of Examples in a pass.

        Raises:
          UsageError: while the pipeline runs, if there are none; says why.
        """

        @tracked
        def require_some(examples: np.int64) -> np.int64:
            if not examples:
                raise too_short(self.objective, self.texts.split(self.split))
            return np.int64(0)

        return tf.ensure_shape(tf.numpy_function(require_some, [count], tf.int64), [])

    def check(self) -> None:
        """Raises ValueError if no Example fits `sequence_length`."""
        if self.sequence_length is not None:
            self.objective.window(Budget.from_sequence_length(self.sequence_length))

    def _cutter(self) -> Cut:
        """A function from a document's length to its windows."""
        smallest = self.objective.smallest()
        if self.sequence_length is not None:
            budget = Budget.from_sequence_length(self.sequence_length)
            window = self.objective.window(budget)
            return functools.partial(windows, window=window, smallest=smallest)

        def whole(length: int) -> list[Span]:
            if length >= smallest and self.objective.lengths(length) is None:
                raise UsageError(
                    f"{self.objective.name!r} does not take a whole document of "
                    f"{length} tokens as one window; give sequence_length."
                )
            return windows(length, window=max(length, 1), smallest=smallest)

        return whole

    def _block_size(self) -> int:
        """The number of documents whose windows are shuffled together."""
        size = block_documents(self.texts.split(self.split), self._cutter())
        return max(1, size // self.shards)

    def _planner(self) -> Callable[..., Int64[np.ndarray, "W 4"]]:
        """A function from a block of documents to its windows, in order."""
        cut = self._cutter()

        @tracked
        def plan(starts: np.ndarray, indices: np.ndarray, place: np.ndarray):
            seed, epoch = place.tolist()
            rng = example_rng(
                seed,
                self.texts.corpus.name,
                self.objective.name,
                epoch=epoch,
                document=int(indices[0]),
                window=-1,
            )
            spans = block_windows(np.diff(starts).tolist(), cut)
            return rng.permutation(spans) if self.shuffled else spans

        return plan

    def _maker(self) -> Callable[..., tuple[np.ndarray, ...]]:
        """A function from windows to their Examples, flattened (`_flatten`).

        One call per group: a call from TensorFlow costs more than an Example.
        """
        documents = self.texts.split(self.split)
        ids = self.texts.vocabulary.special_ids

        @tracked
        def make(
            group: np.ndarray,
            tokens: np.ndarray,
            starts: np.ndarray,
            indices: np.ndarray,
            place: np.ndarray,
        ) -> tuple[np.ndarray, ...]:
            seed, epoch = place.tolist()
            places = [
                (
                    int(indices[number]),
                    tokens[starts[number] : starts[number + 1]],
                    window,
                    (start, stop),
                )
                for number, window, start, stop in group.tolist()
            ]
            examples: list[Example] = []
            example_ids: list[tuple[int, int, int]] = []
            for number, example in window_examples(
                self.objective, documents, places, ids=ids, seed=seed, epoch=epoch
            ):
                examples.append(example)
                document, _, window, _ = places[number]
                example_ids.append((epoch, document, window))
            return *_flatten(examples), np.array(example_ids, np.int64).reshape(-1, 3)

        return make


def _flatten(examples: list[Example]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All integers, all floats, and the place of each feature of each Example there.

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
