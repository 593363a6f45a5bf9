"""Where a run's batches come from: training batches, and held-out batches of each task.

`Source` is what the train loop asks for; `Streaming` makes the batches from the corpora
as the run goes.
"""

import dataclasses
import functools
import itertools
import json
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ...models.rows import Batch, RowShape
from ...objectives.errors import UsageError, require_count
from ...objectives.example import Example
from ...tasks.corpora import EmptySplitError
from ...tasks.examples.example_stream import mixed_examples, task_examples
from ...tasks.examples.mixture import Mixture, split_task
from ...tasks.examples.task_windows import DocumentShard, TooShortError
from ...tasks.examples.unchanged import require_unchanged
from ...tasks.rows.batches import batches
from ...tasks.streaming.batches import ReceivedBatches, streamed
from ...tasks.streaming.chunks import Plan
from ...tasks.streaming.row_stream import start_of
from ...tasks.tokens.tokenised_documents import TokenisedDocuments
from ...tasks.tokens.vocabulary import vocabulary
from ..hosts import coordination
from .batch_identity import identity_of

HELD_OUT_SEED = 0
"""Held-out batches are the same in every run, whatever its seed."""

Position = dict[str, Any]
"""A place in a stream of batches, as plain JSON."""


class DataPlace(NamedTuple):
    """Where a run is in its data.

    Attributes:
      batches: that were read; more than the steps where the run went back.
      positions: before the last of them, of all hosts, each once.
      last_batch: identity of the last of them, over all hosts.
    """

    batches: int
    positions: Sequence[Position]
    last_batch: str


def place_of_all(
    batches: int, position: Position, digest: int, *, name: str
) -> DataPlace:
    """The place of a whole run, of those of its hosts, which meet here.

    Args:
      batches: that were read.
      position: of this host before the last of them, the same on hosts that load the
        same rows.
      digest: of this host's rows of the last of them.
      name: of the meeting, "step 4".
    """
    ours = json.dumps([position, digest], sort_keys=True)
    theirs = [json.loads(text) for text in coordination.exchange(name, ours)]
    positions = {json.dumps(each): each for each, _ in theirs}
    last_batch = identity_of(digest for _, digest in theirs)
    return DataPlace(batches, list(positions.values()), last_batch)


@runtime_checkable
class Source(Protocol):
    """Batches of a run."""

    def training(
        self, *, seed: int, position: Position | None
    ) -> Iterator[tuple[Batch, Position]]:
        """Training batches without end, those rows of them that this process loads.

        Each comes with the position before it: started again there, the stream gives
        that batch again first, bit for bit.

        Args:
          seed: of everything that is random.
          position: of the first batch; None for the beginning.
        """
        ...

    def own(self, positions: Sequence[Position]) -> Position:
        """The one of the rows that this process loads, among those of all hosts."""
        ...

    def held_out(self, *, most: int) -> dict[str, list[Batch]]:
        """Whole validation batches of each task, at most `most`; alike on all hosts."""
        ...

    def close(self) -> None:
        """Frees what the streams hold; none of them is read any more."""
        ...


@dataclasses.dataclass(frozen=True)
class Streaming:
    """Batches made from the corpora while the run goes on.

    Attributes:
      mixture: what is mixed, and the vocabulary.
      rows: capacities of a row.
      batch_rows: B, of the global batch.
      rows_here: `[start, stop)` of the global batch, the rows that this process loads;
        None for all. Hosts with the same rows read the same documents; the others
        divide them.
      workers: processes that make data; 0 for none but this one.
    """

    mixture: Mixture
    rows: RowShape
    batch_rows: int
    rows_here: tuple[int, int] | None = None
    workers: int = 1
    _streams: "weakref.WeakSet[ReceivedBatches]" = dataclasses.field(
        default_factory=weakref.WeakSet, init=False, repr=False, compare=False
    )

    def __post_init__(self):
        require_count("train.data_workers", self.workers, least=0)
        start, stop = self.rows_here or (0, self.batch_rows)
        size = stop - start
        if size < 1 or self.batch_rows % size or start % size:
            raise UsageError(
                f"this process is to load the rows [{start}, {stop}) of a batch of "
                f"{self.batch_rows}, which are no equal part of it; choose "
                "train.batch_rows as a multiple of the devices along data and fsdp."
            )

    def identities(self) -> Mapping[str, str]:
        """Of the vocabulary and the corpora, by content, when first asked for."""
        return self._identities

    @functools.cached_property
    def _identities(self) -> Mapping[str, str]:
        return self.mixture.identities()

    def examples(self, *, seed: int) -> Iterator[Example]:
        """Training Examples without end, as `training` packs them at step 0.

        Args:
          seed: of the order of documents, of the mixing and of every Example.
        """
        return mixed_examples(self.mixture, self.rows, seed=seed)

    def training(
        self, *, seed: int, position: Position | None
    ) -> Iterator[tuple[Batch, Position]]:
        """Training batches without end; see `Source`.

        The rows are a function of mixture, rows, batch, seed and of which rows are
        loaded here, whatever the number of workers.

        Raises:
          UsageError: the position is of another number of hosts, or of other tasks;
            or a corpus changed after `identities`.
        """
        plan = Plan(
            self.mixture,
            self.rows,
            batch_rows=self.batch_rows // self._shard.count,
            seed=seed,
            shard=self._shard,
            identities=self.identities(),
        )
        stream = streamed(plan, position or start_of(plan), processes=self.workers)
        if isinstance(stream, ReceivedBatches):
            self._streams.add(stream)
        return stream

    def own(self, positions: Sequence[Position]) -> Position:
        """The one of this process's part of the text.

        Where there is none, the text was divided into another number of parts, and
        `training` says so of any of them.
        """
        part = [self._shard.index, self._shard.count]
        mine = [position for position in positions if position["shard"] == part]
        return (mine or list(positions))[0]

    @property
    def _shard(self) -> DocumentShard:
        start, stop = self.rows_here or (0, self.batch_rows)
        size = stop - start
        return DocumentShard(start // size, self.batch_rows // size)

    def held_out(self, *, most: int) -> dict[str, list[Batch]]:
        """Validation batches of each task, at most `most` of each.

        Every task of the mixture is measured alike, whatever its rate, on rows of its
        own: a pair's one label gets as many rows as a text's 512 tokens. A task without
        validation text has no batches.
        """
        tasks = self.mixture.positive_rates()
        if most == 0:
            return {task: [] for task in tasks}
        vocab = vocabulary(self.mixture.vocabulary)
        documents: dict[str, TokenisedDocuments | None] = {}
        for corpus in dict.fromkeys(split_task(task)[0] for task in tasks):
            try:
                documents[corpus] = TokenisedDocuments(
                    self.mixture.corpus(corpus), "validation", vocab
                )
            except EmptySplitError:
                documents[corpus] = None  # `train` names the tasks
        require_unchanged(self.mixture, self.identities())
        found: dict[str, list[Batch]] = {}
        for task in tasks:
            texts = documents[split_task(task)[0]]
            stream = self._held_out(task, texts) if texts else ()
            try:
                found[task] = list(itertools.islice(stream, most))
            except TooShortError:
                found[task] = []
        return found

    def _held_out(self, task: str, documents: TokenisedDocuments) -> Iterator[Batch]:
        vocab = vocabulary(self.mixture.vocabulary)
        examples: Iterable[Example] = task_examples(
            self.mixture,
            task,
            self.rows,
            documents=documents,
            seed=HELD_OUT_SEED,
            epochs=1,
        )
        return batches(
            examples,
            self.rows,
            batch_rows=self.batch_rows,
            ids=vocab.special_ids,
            vocabulary_size=vocab.size,
        )

    def close(self) -> None:
        """Ends the processes of all streams; whoever reads one finds its end."""
        for stream in self._streams:
            stream.close()
