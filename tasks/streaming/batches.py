"""Training batches as the trainer receives them: made in other processes, or here."""

import multiprocessing
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection

import numpy as np
from jaxtyping import Int32

from ...models.rows import PREDICTION_FIELDS, Batch, Capacity, Memory, Stream
from ..tokens.tokenised_documents import TokenisedDocuments
from .chunks import LocalMaker, Makers, Plan
from .makers import RemoteMakers, serve_chunks
from .processes import DataProcessError, Team, send_error
from .row_stream import Position, RowStream, check_position

_AHEAD = 2
"""Chunks that each process has to make in advance."""


def streamed(
    plan: Plan,
    position: Position,
    *,
    processes: int,
    documents: Mapping[str, TokenisedDocuments] | None = None,
) -> Iterator[tuple[Batch, Position]]:
    """Training batches without end, each with the position before it.

    The batches are a function of the plan, whatever the number of processes. They end
    with the iterator, and with this process.

    Args:
      plan: what the stream is a function of.
      position: that of the first batch.
      processes: that make data. One mixes and packs; with two or more, the others
        make the Examples. 0: all in this process.
      documents: of the train split, shared with other streams of this process; other
        processes open their own.

    Raises:
      UsageError: the position is of another stream.
      DataProcessError: a process was killed.
      Exception: whatever was raised in a process, with a note that says where.
    """
    check_position(plan, position)
    if not processes:
        return _batches(plan, position, LocalMaker(plan, documents), ahead=0)
    return ReceivedBatches(plan, position, processes)


def _batches(
    plan: Plan, position: Position, makers: Makers, *, ahead: int
) -> Iterator[tuple[Batch, Position]]:
    stream = RowStream(plan, position, makers, ahead=ahead)
    before = stream.position()
    for batch in stream:
        yield batch, before
        before = stream.position()


class ReceivedBatches(Iterator[tuple[Batch, Position]]):
    """Batches that other processes make; these start at once.

    Args:
      plan: what the stream is a function of.
      position: that of the first batch.
      processes: how many, at least one.
    """

    def __init__(self, plan: Plan, position: Position, processes: int):
        self._plan = plan
        self._closed = False
        self._team = Team()
        ends = [multiprocessing.Pipe() for _ in range(processes - 1)]
        for number, (_, end) in enumerate(ends, start=1):
            self._team.start(f"sightline-examples-{number}", serve_chunks, plan, end)
        self._batches, out = multiprocessing.Pipe(duplex=False)
        makers = [end for end, _ in ends]
        self._team.start("sightline-rows", serve_batches, plan, position, out, makers)

    def __next__(self) -> tuple[Batch, Position]:
        if self._closed:
            raise StopIteration
        try:
            self._team.wait_for(self._batches)
            kind, content = self._batches.recv()
            flat = self._batches.recv_bytes() if kind == "batch" else b""
        except (EOFError, OSError, DataProcessError) as error:
            if self._closed:
                raise StopIteration from None
            ended = error if isinstance(error, DataProcessError) else None
            ended = ended or self._team.ended()
            self._team.close()
            raise ended from None
        if kind == "error":
            self._team.close()
            raise content
        return unflattened(np.frombuffer(flat, np.int32), self._plan), content

    def cpu_seconds(self) -> float:
        """CPU time of the processes so far; Linux only."""
        return self._team.cpu_seconds()

    def close(self) -> None:
        """Ends the processes; whoever waits for a batch finds the end of them."""
        self._closed = True
        self._team.close()


def serve_batches(
    plan: Plan, position: Position, out: Connection, makers: list[Connection]
) -> None:
    """Sends every batch with the position before it, until the other end closes."""
    try:
        local = not makers
        each = -(-_AHEAD * len(makers) // len(plan.tasks))
        made = _batches(
            plan,
            position,
            LocalMaker(plan) if local else RemoteMakers(makers),
            ahead=each,
        )
        for batch, before in made:
            out.send(("batch", before))
            out.send_bytes(flattened(batch).data)
    except (BrokenPipeError, ConnectionResetError, EOFError):
        raise
    except Exception as error:
        send_error(out, error)


def flattened(batch: Batch) -> Int32[np.ndarray, " n"]:
    """All arrays of a batch, one after another."""
    parts = [part for part in batch if part is not None]
    arrays = [array for part in parts for array in part]
    return np.concatenate([np.asarray(a).view(np.int32).ravel() for a in arrays])


def unflattened(flat: Int32[np.ndarray, " n"], plan: Plan) -> Batch:
    """The batch of `flattened`; its arrays are views."""
    at = 0

    def take(width: int) -> np.ndarray:
        nonlocal at
        start, at = at, at + plan.batch_rows * width
        return flat[start:at].reshape(plan.batch_rows, width)

    def stream(capacity: Capacity) -> Stream:
        arrays = {
            field: take(
                capacity.predictions if field in PREDICTION_FIELDS else capacity.slots
            )
            for field in Stream._fields
        }
        arrays["loss_weights"] = arrays["loss_weights"].view(np.float32)
        return Stream(**arrays)

    shape = plan.rows
    decoder = stream(shape.decoder)
    if shape.encoder is None:
        return Batch(decoder)
    encoder = stream(shape.encoder)
    memory = Memory(*(take(shape.decoder.slots) for _ in Memory._fields))
    return Batch(decoder, encoder, memory)
