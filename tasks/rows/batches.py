"""Batches from a stream of Examples, made in advance on a thread of their own."""

import hashlib
import itertools
import queue
import threading
import weakref
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import numpy as np

from ...models.rows import Batch, RowShape, Stream
from ...objectives.errors import UsageError
from ...objectives.example import Example
from ...objectives.special_ids import SpecialIds
from .layout import Placed, lay_out
from .packing import collate, first_fit

_GROUP = 64
"""Examples laid out together: one alone costs about as much."""

T = TypeVar("T")


def batches(
    stream: Iterable[Example],
    shape: RowShape,
    *,
    batch_rows: int,
    ids: SpecialIds,
    vocabulary_size: int,
) -> Iterator[Batch]:
    """Lays out, packs and collates Examples; the last batch is padded with empty rows.

    An empty row predicts nothing, so it adds nothing to any sum.

    Args:
      stream: Examples that fit the rows.
      shape: capacities of a row.
      batch_rows: B.
      ids: reserved ids.
      vocabulary_size: V; every id must be within [0, V).

    Raises:
      ValueError: an id outside [0, V) (`check_ids`).
    """
    rows = first_fit(_laid_out(stream, shape, bos=ids.bos), shape)
    while group := list(itertools.islice(rows, batch_rows)):
        empty: list[list[Placed]] = [[] for _ in range(batch_rows - len(group))]
        batch = collate(group + empty, shape)
        check_ids(batch, vocabulary_size)
        yield batch


def _laid_out(
    stream: Iterable[Example], shape: RowShape, *, bos: int
) -> Iterator[Placed]:
    examples = iter(stream)
    while group := list(itertools.islice(examples, _GROUP)):
        yield from lay_out(group, shape, bos=bos).placed()


def check_ids(batch: Batch, vocabulary_size: int) -> None:
    """Refuses a batch with an id that the vocabulary does not have.

    Raises:
      ValueError: an id outside [0, V). Indexing would hide it: -1 wraps round and V
        is clamped.
    """
    for name, part in (("decoder", batch.decoder), ("encoder", batch.encoder)):
        if part is not None:
            _check_ids(part, name, vocabulary_size)


def _check_ids(stream: Stream, name: str, vocabulary_size: int) -> None:
    for field in ("tokens", "targets"):
        values = getattr(stream, field)
        # One comparison for both ends: a negative id is a large unsigned one.
        wrong = values.view(np.uint32) >= vocabulary_size
        if wrong.any():
            row, place = np.argwhere(wrong)[0]
            raise UsageError(
                f"{name}.{field}[{row}, {place}] is {values[row, place]}, outside the "
                f"vocabulary [0, {vocabulary_size}); the data was tokenised with "
                "another vocabulary than the model is built for."
            )


def digest(batch: Batch) -> str:
    """sha256 of a batch of NumPy arrays, in hexadecimal."""
    sha256 = hashlib.sha256()
    for stream in (batch.decoder, batch.encoder):
        for array in stream or ():
            sha256.update(np.ascontiguousarray(array).tobytes())
    return sha256.hexdigest()


def check_same(batch: Batch, expected: str) -> None:
    """Refuses to continue with other data than the run has read so far.

    Args:
      batch: the last one before the checkpoint, read again.
      expected: its digest when it was saved.

    Raises:
      ValueError: they differ.
    """
    if digest(batch) != expected:
        raise UsageError(
            "the data is not what this run has read so far: the last batch before the "
            "checkpoint is different now. Another Python (python_docs is made from "
            "the running one), corpus or version of Sightline reads other text; go "
            "back to the previous one, or start a new --run_dir."
        )


def prefetch(items: Iterable[T], *, ahead: int) -> Iterator[T]:
    """Yields the same items, made up to `ahead` in advance on a separate thread.

    The thread starts at once. An exception of the producer is raised in the consumer,
    in its place in the order. When the consumer stops early (`close()`, or garbage
    collection), the thread ends after the item that it is making.
    """
    ready: queue.Queue[tuple[str, Any]] = queue.Queue(maxsize=ahead)
    stopped = threading.Event()

    def put(kind: str, value: Any) -> bool:
        while not stopped.is_set():
            try:
                ready.put((kind, value), timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def produce() -> None:
        try:
            for item in items:
                if not put("item", item):
                    return
            put("end", None)
        except BaseException as error:  # passed to the consumer, whatever it is
            put("error", error)

    def consume() -> Iterator[T]:
        try:
            while True:
                kind, value = ready.get()
                if kind == "end":
                    return
                if kind == "error":
                    raise value
                yield value
        finally:
            stopped.set()

    threading.Thread(target=produce, name="sightline-prefetch", daemon=True).start()
    consumer = consume()
    weakref.finalize(consumer, stopped.set)  # a generator never begun has no `finally`
    return consumer
