"""The rows that the arms of a study are trained and measured on."""

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np

from ...models.rows import Batch
from ...tasks.examples.example_stream import split_documents
from ...tasks.examples.mixture import Mixture
from ...tasks.examples.task_windows import DocumentShard
from ...tasks.shares.counts import count
from ...tasks.streaming.batches import streamed
from ...tasks.streaming.chunks import Plan
from ...tasks.streaming.row_stream import start_of
from ...tasks.tokens.tokenised_documents import TokenisedDocuments
from ..training.data import HELD_OUT_SEED, Streaming
from ..training.recorded import RecordedData
from .study import Study

SAMPLE = 64
"""Batches that are looked at to learn what a mixture's rows hold."""


@runtime_checkable
class BatchStream(Protocol):
    """Training batches, each with the position before it; `close` ends it."""

    def __iter__(self) -> Iterator[tuple[Batch, dict[str, Any]]]:
        """Itself."""
        ...

    def close(self) -> None:
        """Ends the processes that make the batches, where there are some."""
        ...


class RowsOfArms:
    """Makes the rows of every arm, from the corpora or from a recording.

    The documents are opened once, and their tokens shared by all arms.
    """

    def __init__(self, study: Study):
        self._study = study
        self._documents: dict[str, TokenisedDocuments] = {}

    def training(
        self, mixture: Mixture, *, seed: int, position: dict[str, Any] | None = None
    ) -> BatchStream:
        """Training batches without end; close the stream.

        Args:
          mixture: of an arm.
          seed: of everything that is random.
          position: of the first batch; None for the beginning.
        """
        study = self._study
        if study.data is not None:
            recorded = self.recorded(mixture)
            return cast(BatchStream, recorded.training(seed=seed, position=position))
        plan = Plan(
            mixture,
            study.rows,
            batch_rows=study.batch_rows,
            seed=seed,
            shard=DocumentShard(0, 1),
            identities=mixture.identities(),
        )
        stream = streamed(
            plan,
            position or start_of(plan),
            processes=study.data_workers,
            documents=None if study.data_workers else self._of_training(mixture),
        )
        return cast(BatchStream, stream)

    def held_out(self, mixture: Mixture) -> dict[str, list[Batch]]:
        """Validation batches of each task."""
        study = self._study
        if study.data is not None:
            return self.recorded(mixture).held_out(most=study.held_out)
        source = Streaming(mixture, study.rows, study.batch_rows, workers=0)
        return source.held_out(most=study.held_out)

    def of_training(self, mixture: Mixture) -> list[Batch]:
        """Training batches to measure, as many as are held out of each task."""
        return self._first(
            mixture, self._study.held_out * len(mixture.positive_rates())
        )

    def tokens(self, mixture: Mixture) -> float:
        """Tokens that a step on a mixture processes, by its first batches."""
        sample = self._first(mixture, SAMPLE)
        return sum(int(count(batch).processed.sum()) for batch in sample) / len(sample)

    def own_share(self, mixture: Mixture, own: Mixture) -> float:
        """The share of a mixture's processed tokens that another's objectives take."""
        sample = self._first(mixture, SAMPLE)
        processed = np.sum([count(batch).processed for batch in sample], axis=0)
        ids = sorted({objective.id for objective in own.objectives().values()})
        return float(processed[ids].sum() / processed.sum())

    def recorded(self, mixture: Mixture) -> RecordedData:
        """The recorded rows of a mixture; only where `study.data` names some.

        Raises:
          UsageError: there are none, or they are of others.
        """
        study = self._study
        assert study.data is not None
        return RecordedData(
            Path(study.data), mixture.phases(), study.rows, study.batch_rows
        )

    def _first(self, mixture: Mixture, size: int) -> list[Batch]:
        """The first training batches of a mixture, with a seed of their own."""
        with contextlib.closing(
            self.training(mixture.at(0), seed=HELD_OUT_SEED)
        ) as stream:
            return [batch for batch, _ in itertools.islice(stream, size)]

    def _of_training(self, mixture: Mixture) -> dict[str, TokenisedDocuments]:
        missing = split_documents(mixture, "train")
        self._documents = {**missing, **self._documents}
        return self._documents
