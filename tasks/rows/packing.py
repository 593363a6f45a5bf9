"""First-fit packing of laid-out Examples into rows, by every capacity at once."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import numpy as np

from ...models.rows import Batch, Capacity, Memory, RowShape, Stream
from ...objectives.errors import UsageError
from .layout import Placed, Slots, capacities

T = TypeVar("T")

LOOK_BACK = 64
"""Rows that stay open. More waste less, but move Examples further from their order."""

PATIENCE = 4
"""Examples per open row after which the oldest open row is closed."""


def _itself(item: Any) -> Placed:
    return item


def first_fit(
    items: Iterable[T],
    shape: RowShape,
    *,
    placed: Callable[[T], Placed] = _itself,
    look_back: int = LOOK_BACK,
) -> Iterator[list[T]]:
    """Packs Examples into rows: each goes to the first open row that has room for it.

    A row has room if every capacity does: the slots and the predictions of each
    stream. If no open row has room, a new one is opened, and if more than `look_back`
    are open, the fullest is closed: later Examples fit best where most room is left.
    The oldest is closed instead once `PATIENCE` · `look_back` Examples have come since
    it was opened, so that none waits for ever. When the Examples end, the open rows
    follow.

    Args:
      items: Examples in order, or what they belong to; the rows are a function of that
        order alone.
      shape: capacities of a row.
      placed: the Example of an item.
      look_back: how many rows stay open.

    Yields:
      The items of each closed row.

    Raises:
      ValueError: an Example that is empty or fits no row. It is never cut.
    """
    capacity = np.array(capacities(shape))
    free = np.zeros((0, len(capacity)), np.int64)
    rows: list[list[T]] = []
    opened: list[int] = []
    for number, item in enumerate(items):
        example = placed(item)
        need = np.array(example.sizes)
        if need.max(initial=0) == 0 or (need > capacity).any():
            raise UsageError(
                f"an Example of objective {example.objective} takes {need.tolist()} of "
                f"the row's {capacity.tolist()} (slots and predictions of each stream)"
                "; it must not be empty, nor larger than the row. Ask the task for "
                "Examples that fit: "
                "get_dataset(sequence_length=sequence_length(shape))."
            )
        fitting = np.flatnonzero((free >= need).all(axis=1))
        if fitting.size:
            row = int(fitting[0])
        else:
            rows.append([])
            opened.append(number)
            free = np.vstack([free, capacity])
            row = len(rows) - 1
        rows[row].append(item)
        free[row] -= need
        if len(rows) > look_back:
            waited = number - opened[0] > PATIENCE * look_back
            closed = 0 if waited else int(free[:, ::2].sum(1).argmin())
            yield rows.pop(closed)
            del opened[closed]
            free = np.delete(free, closed, axis=0)
    yield from rows


def collate(rows: list[list[Placed]], shape: RowShape) -> Batch:
    """Writes rows of Examples into one batch of arrays.

    Args:
      rows: B rows, as `first_fit` yields them.
      shape: capacities of a row.

    Returns:
      A batch of NumPy arrays [B, T] and [B, P]; free slots and predictions are 0.
    """
    size = len(rows)
    decoder = _empty(size, shape.decoder)
    encoder = _empty(size, shape.encoder) if shape.encoder else None
    memory = Memory(np.zeros_like(decoder.tokens), np.zeros_like(decoder.tokens))
    for row, examples in enumerate(rows):
        at, memory_at = Capacity(0, 0), Capacity(0, 0)
        for number, example in enumerate(examples, start=1):
            ids = (number, example.objective)
            stop = _place(decoder, example.decoder, row=row, at=at, ids=ids)
            if encoder is not None and example.encoder is not None:
                memory_stop = _place(
                    encoder, example.encoder, row=row, at=memory_at, ids=ids
                )
                memory.memory_from[row, at.slots : stop.slots] = memory_at.slots
                memory.memory_to[row, at.slots : stop.slots] = memory_stop.slots
                memory_at = memory_stop
            at = stop
    return Batch(decoder, encoder, memory if encoder is not None else None)


def _empty(rows: int, capacity: Capacity) -> Stream:
    slots = [np.zeros((rows, capacity.slots), np.int32) for _ in range(6)]
    predictions = [np.zeros((rows, capacity.predictions), np.int32) for _ in range(4)]
    stream = Stream(*slots, *predictions)
    return stream._replace(loss_weights=stream.loss_weights.astype(np.float32))


def _place(
    stream: Stream, slots: Slots, *, row: int, at: Capacity, ids: tuple[int, int]
) -> Capacity:
    """Copies one Example's slots into a row; returns where the next one goes."""
    number, objective = ids
    stop = Capacity(
        at.slots + slots.size.slots, at.predictions + slots.size.predictions
    )
    span = (row, slice(at.slots, stop.slots))
    predictions = (row, slice(at.predictions, stop.predictions))
    stream.tokens[span] = slots.tokens
    stream.positions[span] = slots.positions
    stream.query_positions[span] = slots.query_positions
    stream.segment_ids[span] = number
    stream.visible_from[span] = at.slots
    stream.visible_to[span] = at.slots + slots.visible_to
    stream.prediction_slots[predictions] = at.slots + slots.prediction_slots
    stream.targets[predictions] = slots.targets
    stream.loss_weights[predictions] = slots.loss_weights
    stream.objective_ids[predictions] = objective
    return stop
