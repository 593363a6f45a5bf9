"""How fast a configuration's data is made, beside t5's own on the same text."""

import dataclasses
import importlib.util
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.progress import track

from ...models.rows import Batch, RowShape, encoder_decoder_rows
from ...tasks import host_tensorflow
from ...tasks.examples.mixture import Mixture, split_task
from ...tasks.streaming.batches import ReceivedBatches
from ...tasks.tokens.tokenised_documents import CACHED_TOKENS, TokenisedDocuments
from ...tasks.tokens.vocabulary import vocabulary
from ..terminal.data_speed import Speed
from ..training.data import Streaming
from ..training.recorded import RecordedData

T5 = "spans: t5, SeqIO's packing"

_SECONDS = 1.0
"""Of each turn."""

_LEAD_IN = 0.2
"""Seconds before the clock starts, in which what was made in advance is used up."""

_WARM_UP = 2.0
"""Seconds of each way before the first round, in which it tokenises its text."""


class Way(NamedTuple):
    """A way to make data.

    Attributes:
      read: the tokens of one batch or row after another, without end. What works
        ahead in this process is begun anew by each call, so that it does not do so in
        the turns of others.
      cpu_seconds: spent by its processes so far, this one left out.
    """

    read: Callable[[], Iterator[int]]
    cpu_seconds: Callable[[], float] = float


def data_speeds(
    settings: Mapping[str, Any], *, rounds: int, recording: str | None = None
) -> dict[str, Speed]:
    """Tokens per second of each way, in rounds in which all take turns.

    Args:
      settings: arguments of `train`.
      rounds: turns of each way.
      recording: folder of recorded rows to serve as well; None for none.

    Raises:
      UsageError: the recording is damaged, of other rows, or of another mixture.
    """
    served = dict(_served(Path(recording), settings)) if recording else {}
    ways = dict(_ways(settings)) | served
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for way in track(ways.values(), "Reading text", transient=True):
        _turn(way, seconds=_WARM_UP)
    for _ in track(range(rounds), "Timing data", transient=True):
        for name, way in ways.items():
            found[name].append(_turn(way, seconds=_SECONDS))
    return {name: Speed(*np.array(turns).T) for name, turns in found.items()}


def _turn(way: Way, *, seconds: float) -> tuple[float, float]:
    """Tokens per second, and per second of CPU time, of one turn."""
    read = way.read()
    began = time.perf_counter()
    while time.perf_counter() - began < _LEAD_IN:
        next(read)
    cpu_began = time.process_time() + way.cpu_seconds()
    began, tokens = time.perf_counter(), 0
    while (wall := time.perf_counter() - began) < seconds:
        tokens += next(read)
    cpu = time.process_time() + way.cpu_seconds() - cpu_began
    return tokens / wall, tokens / max(cpu, 1e-9)


def _ways(settings: Mapping[str, Any]) -> Iterator[tuple[str, Way]]:
    """t5's span corruption and ours ("spans") on the same text, and the mixture."""
    mixture: Mixture = settings["mixture"].at(0)
    rows: RowShape = settings["rows"]
    shares = mixture.task_shares()
    corpus = split_task(max(shares, key=lambda task: shares[task]))[0]
    slots = max(stream.slots for stream in (rows.decoder, rows.encoder) if stream)
    alone = dataclasses.replace(
        mixture,
        name="span corruption",
        rates={f"{corpus}.span_corruption": 1.0},
        corpora={},
        loss_shares=None,
        settings={
            name: bound
            for name, bound in mixture.settings.items()
            if "span_corruption" not in name  # t5's own settings are the defaults
        },
    )
    if all(importlib.util.find_spec(name) for name in ("t5", "seqio")):
        host_tensorflow.load()
        from ...tasks.seqio_tasks.t5_rows import t5_rows, targets_length

        vocab = vocabulary(mixture.vocabulary)
        documents = TokenisedDocuments(mixture.corpus(corpus), "train", vocab)
        tokens = list(_in_memory(documents))
        yield T5, Way(lambda: t5_rows(tokens, vocab, inputs_length=slots))
        targets = targets_length(slots)
        rows_of_t5 = encoder_decoder_rows(
            slots=targets, predictions=targets, memory_slots=slots, memory_predictions=1
        )
        yield "spans: the same rows", _streamed(alone, rows_of_t5, settings)
    yield "spans: rows of the run", _streamed(alone, rows, settings)
    yield f"mixture {mixture.name}", _streamed(mixture, rows, settings)


def _in_memory(documents: TokenisedDocuments) -> Iterator[np.ndarray]:
    """Tokens of documents, as many as a stream keeps."""
    total = 0
    for number in range(len(documents)):
        yield documents[number]
        total += len(documents[number])
        if total > CACHED_TOKENS:
            return


def _streamed(mixture: Mixture, rows: RowShape, settings: Mapping[str, Any]) -> Way:
    source = Streaming(
        mixture,
        rows,
        settings["batch_rows"],
        workers=settings.get("data_workers", 1),
    )
    stream = source.training(seed=settings["seed"], position=None)
    cpu = stream.cpu_seconds if isinstance(stream, ReceivedBatches) else float
    tokens = (_tokens(batch) for batch, _ in stream)
    return Way(lambda: tokens, cpu)


def _served(folder: Path, settings: Mapping[str, Any]) -> Iterator[tuple[str, Way]]:
    """The recorded rows in the order of the run, each turn from its beginning."""
    data = RecordedData(
        folder, settings["mixture"].phases(), settings["rows"], settings["batch_rows"]
    )

    def read() -> Iterator[int]:
        stream = data.training(seed=settings["seed"], position=None)
        return (_tokens(batch) for batch, _ in stream)

    yield "recorded rows, served", Way(read)


def _tokens(batch: Batch) -> int:
    """Filled slots of all streams."""
    streams = (batch.decoder, batch.encoder)
    return sum(int(np.count_nonzero(s.segment_ids)) for s in streams if s is not None)
