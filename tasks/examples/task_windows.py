"""The windows of one task in the order in which a run reads them; their Examples.

An epoch reads all documents in a random order, a block at a time: the windows of a
block's documents are shuffled together. Any block can be read without those before it.
"""

import dataclasses
import functools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from ...models.rows import RowShape
from ...objectives.errors import UsageError
from ...objectives.example import Example
from ...objectives.registry import Objective
from ..rows.layout import budget
from ..tokens.tokenised_documents import TokenisedDocuments
from ..tokens.vocabulary import vocabulary
from .document_order import DocumentOrder
from .mixture import Mixture, split_task
from .windows import block_documents, shuffled_windows, window_examples, windows

_BLOCKS_KEPT = 2


@dataclasses.dataclass(frozen=True)
class DocumentShard:
    """A part of the documents: every `count`-th one, beginning with the `index`-th."""

    index: int = 0
    count: int = 1


WHOLE = DocumentShard()


class Block(NamedTuple):
    """The windows of some documents, in the order in which they are read.

    Attributes:
      documents: index of each in its split.
      windows: number of the document in the block, index in the document, start, stop.
    """

    documents: list[int]
    windows: Int64[np.ndarray, "W 4"]


class TaskWindows:
    """All windows of a task, by epoch and block.

    Args:
      mixture: of the task.
      task: corpus and objective.
      shape: of the rows that every Example fits.
      documents: of a split of its corpus, in the mixture's vocabulary.
      seed: of the order of documents and of every Example.
      shard: of the documents, those to read.

    Raises:
      ValueError: the objective fits no row, or there are more shards than documents.
    """

    def __init__(
        self,
        mixture: Mixture,
        task: str,
        shape: RowShape,
        *,
        documents: TokenisedDocuments,
        seed: int,
        shard: DocumentShard = WHOLE,
    ):
        self._task = task
        self._documents = documents
        self._seed = seed
        self._shard = shard
        self._objective = mixture.objective(split_task(task)[1])
        self._ids = vocabulary(mixture.vocabulary).special_ids
        self._cut = functools.partial(
            windows,
            window=self._objective.window(budget(shape)),
            smallest=self._objective.smallest(),
        )
        if len(documents) < shard.count:
            raise UsageError(
                f"{documents.name} has {len(documents)} documents, too few to divide "
                f"among {shard.count} parts of the batch; train on fewer hosts, or "
                "give more documents."
            )
        self._size = block_documents(documents, self._cut)
        self.blocks = -(-len(documents) // self._size)
        """Blocks of an epoch."""
        self.block = functools.lru_cache(_BLOCKS_KEPT)(self._block)
        self._order = functools.lru_cache(1)(self._order_of)

    def examples(
        self, epoch: int, block: int, start: int, stop: int
    ) -> Iterator[tuple[int, Example]]:
        """The Examples of the windows [start, stop) of a block that give one.

        Yields:
          Index of the window in its block, Example.
        """
        indices, spans = self.block(epoch, block)
        places = (
            (indices[number], self._documents[indices[number]], window, (begin, end))
            for number, window, begin, end in spans[start:stop].tolist()
        )
        for number, example in window_examples(
            self._objective,
            self._documents,
            places,
            ids=self._ids,
            seed=self._seed,
            epoch=epoch,
        ):
            yield start + number, example

    def too_short(self) -> UsageError:
        """The error that no window gives an Example; see `too_short`."""
        return too_short(self._objective, self._documents)

    def _order_of(self, epoch: int) -> DocumentOrder:
        # One for each task, or all would read the same documents at the same time.
        seed = (self._seed % 2**64, 1, epoch, *self._task.encode())
        return DocumentOrder(len(self._documents), seed)

    def _block(self, epoch: int, number: int) -> Block:
        index, count = self._shard.index, self._shard.count
        mine = len(range(index, len(self._documents), count))
        first, last = (mine * n // self.blocks for n in (number, number + 1))
        places = index + count * np.arange(first, last)
        documents = self._order(epoch)[places].tolist()
        lengths = [len(self._documents[document]) for document in documents]
        words = (self._seed % 2**64, 2, epoch, number, index, *self._task.encode())
        rng = np.random.default_rng(words)
        return Block(documents, shuffled_windows(lengths, self._cut, rng))


class TooShortError(UsageError):
    """No document of a split is long enough for an objective, or gives an Example."""


def too_short(objective: Objective, documents: TokenisedDocuments) -> TooShortError:
    """The error that a split gives no Example: too short, or it repeats itself."""
    longest = max(len(documents[index]) for index in range(len(documents)))
    if longest >= objective.smallest():
        return TooShortError(
            f"{objective.name!r} finds no text in {documents.name}: none of the "
            "windows that were read gives an Example, as where text repeats itself. "
            "Give other text, fewer shards, or the objective a rate of 0."
        )
    return TooShortError(
        f"{objective.name!r} finds no text in {documents.name}: it takes "
        f"{objective.smallest()} tokens or more, and the longest of the "
        f"{len(documents):,} documents has {longest}. Give longer documents, fewer "
        "shards, or the objective a rate of 0."
    )
