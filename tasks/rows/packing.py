"""First-fit packing of laid-out Examples into rows, by every capacity at once."""

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from jaxtyping import Int32, Int64

from ...models.rows import Batch, Capacity, Memory, RowShape, Stream
from ...objectives.errors import UsageError
from .blocks import Blocks
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
    packer = Packer[T](shape, look_back=look_back)
    for item in items:
        closed = packer.add(item, placed(item))
        if closed is not None:
            yield closed
    yield from packer.rows


class Packer(Generic[T]):
    """`first_fit`, one Example at a time: its state can be kept and taken up again.

    Attributes:
      rows: the items of each open row, oldest first.
      opened: how many Examples had come when each was opened.
      count: how many Examples have come.
    """

    def __init__(self, shape: RowShape, *, look_back: int = LOOK_BACK):
        self._capacity = capacities(shape)
        self._look_back = look_back
        # All that is free in a row is one number, a field for each capacity, with a
        # bit above each field that a subtraction beyond the field would borrow. So
        # one subtraction compares all of them.
        width = max(self._capacity).bit_length() + 1
        self._shifts = [width * place for place in range(len(self._capacity))]
        self._guards = sum(1 << (shift + width - 1) for shift in self._shifts)
        self._empty = self._guards + self._packed(self._capacity)
        self.rows: list[list[T]] = []
        self.opened: list[int] = []
        self.count = 0
        self._free: list[int] = []
        self._free_slots: list[int] = []

    def add(self, item: T, example: Placed) -> list[T] | None:
        """Places an Example; returns the items of the row that this closes, if any.

        Raises:
          ValueError: an Example that is empty or fits no row.
        """
        need = self._need(example)
        row = self._first_with_room(need)
        self._put(row, item, example, need)
        self.count += 1
        if len(self.rows) <= self._look_back:
            return None
        waited = self.count - 1 - self.opened[0] > PATIENCE * self._look_back
        slots = self._free_slots
        closed = 0 if waited else slots.index(min(slots))
        for kept in (self.opened, self._free, slots):
            del kept[closed]
        return self.rows.pop(closed)

    def restore(
        self,
        rows: Sequence[Sequence[tuple[T, Placed]]],
        opened: Sequence[int],
        count: int,
    ) -> None:
        """Takes up a packer's state: its open rows, each item with its Example."""
        for examples, when in zip(rows, opened, strict=True):
            self._open(when)
            for item, example in examples:
                self._put(len(self.rows) - 1, item, example, self._need(example))
        self.count = count

    def _first_with_room(self, need: int) -> int:
        guards = self._guards
        for row, free in enumerate(self._free):
            if (free - need) & guards == guards:
                return row
        self._open(self.count)
        return len(self.rows) - 1

    def _open(self, when: int) -> None:
        self.rows.append([])
        self.opened.append(when)
        self._free.append(self._empty)
        self._free_slots.append(sum(self._capacity[::2]))

    def _put(self, row: int, item: T, example: Placed, need: int) -> None:
        self.rows[row].append(item)
        self._free[row] -= need
        self._free_slots[row] -= sum(example.sizes[::2])

    def _packed(self, sizes: Sequence[int]) -> int:
        return sum(
            size << shift for size, shift in zip(sizes, self._shifts, strict=True)
        )

    def _need(self, example: Placed) -> int:
        sizes = example.sizes
        if not any(sizes) or any(map(operator.gt, sizes, self._capacity)):
            raise UsageError(
                f"an Example of objective {example.objective} takes {list(sizes)} of "
                f"the row's {list(self._capacity)} (slots and predictions of each "
                "stream); it must not be empty, nor larger than the row. Ask the task "
                "for Examples that fit: "
                "get_dataset(sequence_length=sequence_length(shape))."
            )
        return self._packed(sizes)


def collate(rows: list[list[Placed]], shape: RowShape) -> Batch:
    """Writes rows of Examples into one batch of arrays.

    Args:
      rows: B rows, as `first_fit` yields them.
      shape: capacities of a row.

    Returns:
      A batch of NumPy arrays [B, T] and [B, P]; free slots and predictions are 0.
    """
    examples = [example for row in rows for example in row]
    counts = np.array([len(row) for row in rows], np.int64)
    numbers = [number for row in rows for number in range(1, len(row) + 1)]
    objectives = [example.objective for example in examples]
    ids = np.array(numbers, np.int32), np.array(objectives, np.int64)
    decoders = [example.decoder for example in examples]
    decoder, _ = _stream(decoders, counts, ids, shape.decoder)
    if any(example.blocks for example in examples):
        decoder.visible_from[decoder.segment_ids > 0] += np.concatenate(
            [_blocks_of(example).visible_from for example in examples]
        )
    if shape.encoder is None:
        return Batch(decoder)
    encoders = [e.encoder or _NO_SLOTS for e in examples]
    encoder, memory_at = _stream(encoders, counts, ids, shape.encoder)
    memory_size = np.array([len(slots.tokens) for slots in encoders], np.int32)
    memory_from, memory_to = (np.zeros_like(decoder.tokens) for _ in range(2))
    filled = decoder.segment_ids > 0
    size = np.array([len(slots.tokens) for slots in decoders], np.int64)
    memory_from[filled] = np.repeat(memory_at, size)
    memory_to[filled] = np.repeat(memory_at + memory_size, size)
    if any(example.blocks for example in examples):
        sees = [_blocks_of(example).memory_to for example in examples]
        memory_to[filled] = memory_from[filled] + np.concatenate(sees)
    return Batch(decoder, encoder, Memory(memory_from, memory_to))


_NONE = np.zeros(0, np.int32)
_NO_SLOTS = Slots(
    _NONE, _NONE, _NONE, _NONE, _NONE, _NONE, loss_weights=np.zeros(0, np.float32)
)


def _blocks_of(example: Placed) -> Blocks:
    """What the decoder slots of an Example see, written out where it is ordinary."""
    size = len(example.decoder.tokens)
    inputs = len(example.encoder.tokens) if example.encoder else 0
    plain = Blocks(np.zeros(size, np.int32), np.full(size, inputs, np.int32))
    return example.blocks or plain


def _stream(
    examples: Sequence[Slots],
    counts: Int64[np.ndarray, " B"],
    ids: tuple[Int32[np.ndarray, " N"], Int64[np.ndarray, " N"]],
    capacity: Capacity,
) -> tuple[Stream, Int32[np.ndarray, " N"]]:
    """One stream of a batch, all rows at once, and each Example's first slot.

    Args:
      examples: of all rows, in order.
      counts: how many are in each row.
      ids: number in its row, and objective, of each Example.
      capacity: of a row.
    """
    row = np.repeat(np.arange(len(counts)), counts)
    slots = np.array([len(e.tokens) for e in examples], np.int64)
    predictions = np.array([len(e.targets) for e in examples], np.int64)
    at = _starts(slots, row, len(counts)).astype(np.int32)
    number, objective = ids
    # Examples stand one after another from the first slot of a row on.
    in_row = np.bincount(row, slots, minlength=len(counts))
    filled = np.arange(capacity.slots) < in_row[:, None]
    in_row = np.bincount(row, predictions, minlength=len(counts))
    predicted = np.arange(capacity.predictions) < in_row[:, None]

    fields = [np.concatenate([none, *each]) for none, each in _columns(examples)]
    tokens, positions, query_positions, visible_to, places, targets, weights = fields
    offset = np.repeat(at, slots)

    def write(where: np.ndarray, values: np.ndarray, dtype: type = np.int32):
        array = np.zeros(where.shape, dtype)
        array[where] = values
        return array

    stream = Stream(
        tokens=write(filled, tokens),
        positions=write(filled, positions),
        query_positions=write(filled, query_positions),
        segment_ids=write(filled, np.repeat(number, slots)),
        visible_from=write(filled, offset),
        visible_to=write(filled, offset + visible_to),
        prediction_slots=write(predicted, np.repeat(at, predictions) + places),
        targets=write(predicted, targets),
        loss_weights=write(predicted, weights, np.float32),
        objective_ids=write(predicted, np.repeat(objective, predictions)),
    )
    return stream, at


def _columns(
    examples: Sequence[Slots],
) -> Iterator[tuple[np.ndarray, tuple[np.ndarray, ...]]]:
    """The arrays of each field of all Examples, after an empty one of its type."""
    if examples:
        return zip(_NO_SLOTS, zip(*examples, strict=True), strict=True)
    return zip(_NO_SLOTS, ((),) * len(_NO_SLOTS), strict=True)


def _starts(
    sizes: Int64[np.ndarray, " N"], row: Int64[np.ndarray, " N"], rows: int
) -> Int64[np.ndarray, " N"]:
    """Where each Example begins in its row, whose Examples stand in sequence."""
    before = np.cumsum(sizes) - sizes
    of_row = np.bincount(row, sizes, minlength=rows).astype(np.int64)
    return before - (np.cumsum(of_row) - of_row)[row]
