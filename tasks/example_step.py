"""The last step of a task's pipeline: documents to Examples."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ..objectives.budget import Budget
from ..objectives.example import Example
from ..objectives.registry import Objective
from ..objectives.text import Text
from . import corpora
from .document_source import TokenisedDocuments
from .vocabulary import Vocabulary
from .windows import example_rng, windows

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
            raise ValueError(
                f"the examples of {self.objective.name!r} have no seed or no epoch: a "
                "task changed by Task.replace makes none; use objective_task instead."
            )
        cut = self._cutter()
        make = self._maker()

        def examples_of(document: dict[str, tf.Tensor]) -> tf.data.Dataset:
            tokens = document["tokens"]
            bounds = tf.numpy_function(cut, [tf.size(tokens)], tf.int64, stateful=False)
            spans = tf.data.Dataset.from_tensor_slices(tf.ensure_shape(bounds, [None, 3]))

            def example_of(span: tf.Tensor) -> dict[str, tf.Tensor]:
                place = tf.stack(
                    [tf.cast(self.epoch, tf.int64), document["document"], span[0]]
                )
                arguments = [tokens, span, tf.cast(self.seed, tf.int64), place]
                types = [tf.as_dtype(dtype) for dtype in FEATURES.values()]
                made = tf.numpy_function(make, arguments, types, stateful=False)
                made = [tf.ensure_shape(array, [None]) for array in made]
                return {**dict(zip(FEATURES, made, strict=True)), "example_id": place}

            return spans.map(example_of)

        return dataset.flat_map(examples_of)

    def check(self) -> None:
        """Raises ValueError where no Example fits `sequence_length`."""
        if self.sequence_length is not None:
            self.objective.window(Budget.from_sequence_length(self.sequence_length))

    def _cutter(self) -> Callable[[np.int32], np.ndarray]:
        """A function from a document's length to rows `(index, start, stop)`."""
        smallest = self.objective.smallest()
        if self.sequence_length is None:
            window = None
        else:
            budget = Budget.from_sequence_length(self.sequence_length)
            window = self.objective.window(budget)

        def cut(length: np.int32) -> np.ndarray:
            size = int(length)
            if window is None and size >= smallest and not self.objective.lengths(size):
                raise ValueError(
                    f"{self.objective.name!r} does not take a whole document of {size} "
                    "tokens as one window; give sequence_length."
                )
            spans = windows(size, window=window or max(size, 1), smallest=smallest)
            rows = [(index, *span) for index, span in enumerate(spans)]
            return np.array(rows, np.int64).reshape(-1, 3)

        return cut

    def _maker(self) -> Callable[..., list[np.ndarray]]:
        """A function from tokens, a row of `cut`, seed and place to features."""
        documents = TokenisedDocuments(self.corpus, self.split, self.vocabulary)
        ids = self.vocabulary.special_ids

        def make(tokens, span, seed, place) -> list[np.ndarray]:
            epoch, document, window = (int(part) for part in place)
            rng = example_rng(
                int(seed),
                self.objective.name,
                epoch=epoch,
                document=document,
                window=window,
            )
            other = functools.partial(documents.other, document)
            text = Text(tokens, int(span[1]), int(span[2]), other)
            example = self.objective(text, rng, ids)
            return [
                np.atleast_1d(np.asarray(value, FEATURES[name]))
                for name, value in example._asdict().items()
            ]

        return make
