"""Work units of a stream: the laid-out Examples of a few windows of one block."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int64

from ...models.rows import RowShape
from ..examples.example_stream import split_documents
from ..examples.mixture import Mixture, split_task
from ..examples.task_windows import DocumentShard, TaskWindows
from ..examples.unchanged import require_unchanged
from ..rows.layout import Laid, lay_out
from ..tokens.tokenised_documents import TokenisedDocuments
from ..tokens.vocabulary import vocabulary

CHUNK = 64
"""Windows of a chunk."""


@dataclass(frozen=True)
class Plan:
    """What a stream is a function of.

    Attributes:
      mixture: rates, schedule, corpora, settings and vocabulary.
      rows: capacities of a row.
      batch_rows: rows of a batch here.
      seed: of the order of documents, of the mixing and of every Example.
      shard: the part of the documents that is read here.
      identities: of vocabulary and corpora when the run began, which processes that
        open them later compare.
    """

    mixture: Mixture
    rows: RowShape
    batch_rows: int
    seed: int
    shard: DocumentShard
    identities: Mapping[str, str] = field(default_factory=dict)

    @property
    def tasks(self) -> list[str]:
        """Every task that is mixed at some step, in order."""
        return list(self.mixture.positive_rates())


class Key(NamedTuple):
    """Names a chunk: the `number`-th of a block of an epoch of a task."""

    task: int
    epoch: int
    block: int
    number: int


class Chunk(NamedTuple):
    """The Examples of a chunk.

    Attributes:
      laid: the Examples; None if there are none.
      windows: of each Example, the index of its window in the block.
      ends_block: whether no window of the block comes after it.
      ends_epoch: whether the block is the last of its epoch.
    """

    laid: Laid | None
    windows: Int64[np.ndarray, " N"]
    ends_block: bool
    ends_epoch: bool


@runtime_checkable
class Makers(Protocol):
    """Whoever makes chunks."""

    def expect(self, keys: Iterable[Key]) -> None:
        """Says which chunks are likely to be asked for next."""
        ...

    def make(self, key: Key) -> Chunk:
        """The chunk of a key.

        Raises:
          Exception: whatever was raised where it was made.
        """
        ...


class LocalMaker:
    """Makes chunks when they are asked for, in this process.

    Args:
      plan: of the stream.
      documents: of the train split, to share with other streams; None opens them.

    Raises:
      UsageError: a corpus changed after the run began.
    """

    def __init__(
        self, plan: Plan, documents: Mapping[str, TokenisedDocuments] | None = None
    ):
        self._plan = plan
        if documents is None:
            documents = split_documents(plan.mixture, "train")
            require_unchanged(plan.mixture, plan.identities)
        self._documents = documents
        self._sources: dict[int, TaskWindows] = {}
        bos = vocabulary(plan.mixture.vocabulary).special_ids.bos
        self._lay_out: Callable[..., Laid] = lambda examples: lay_out(
            examples, plan.rows, bos=bos
        )

    def expect(self, keys: Iterable[Key]) -> None:
        """Makes nothing in advance."""

    def make(self, key: Key) -> Chunk:
        """The chunk of a key."""
        source = self.source(key.task)
        start, size = key.number * CHUNK, len(source.block(*key[1:3]).windows)
        stop = min(start + CHUNK, size)
        made = list(source.examples(key.epoch, key.block, start, stop))
        return Chunk(
            self._lay_out([example for _, example in made]) if made else None,
            np.array([window for window, _ in made], np.int64),
            ends_block=stop >= size,
            ends_epoch=key.block + 1 == source.blocks,
        )

    def source(self, task: int) -> TaskWindows:
        """The windows of a task."""
        if task not in self._sources:
            plan = self._plan
            name = plan.tasks[task]
            self._sources[task] = TaskWindows(
                plan.mixture,
                name,
                plan.rows,
                documents=self._documents[split_task(name)[0]],
                seed=plan.seed,
                shard=plan.shard,
            )
        return self._sources[task]
