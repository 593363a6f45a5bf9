"""A packed row as one byte string of fixed size, and batches of them.

The fields of a row stand one after another, each in the smallest integer type that
holds its values, little-endian; weights are float32. All rows of a recording have the
same size, so that a batch is decoded by a few array operations.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...models.rows import PREDICTION_FIELDS, Batch, Capacity, Memory, RowShape, Stream
from ...objectives.errors import UsageError
from ...objectives.registry import CAPACITY

VOCABULARY_FIELDS = ("tokens", "targets")
"""Fields of a stream that hold ids of the vocabulary."""


class Field(NamedTuple):
    """One field of a row: `decoder.tokens`, its type (`uint16`) and its length."""

    name: str
    dtype: str
    length: int


class RowFormat(NamedTuple):
    """How rows are written.

    Attributes:
      shape: capacities of a row.
      vocabulary_size: V; every id is within [0, V).
      most_position: no position is larger.
    """

    shape: RowShape
    vocabulary_size: int
    most_position: int

    @functools.cache  # noqa: B019 (a tuple of a few numbers)
    def fields(self) -> tuple[Field, ...]:
        """The fields of a row, in their order on disk."""
        fields = self._stream("decoder", self.shape.decoder)
        if self.shape.encoder is not None:
            fields += self._stream("encoder", self.shape.encoder)
            slots = smallest_type(self.shape.encoder.slots)
            length = self.shape.decoder.slots
            fields += [Field(f"memory.{n}", slots, length) for n in Memory._fields]
        return tuple(fields)

    @functools.cache  # noqa: B019
    def dtype(self) -> np.dtype:
        """The structured type of a row."""
        return np.dtype(
            [
                (f.name, np.dtype(f.dtype).newbyteorder("<"), f.length)
                for f in self.fields()
            ]
        )

    def _stream(self, name: str, capacity: Capacity) -> list[Field]:
        ids = smallest_type(self.vocabulary_size - 1)
        position = smallest_type(self.most_position)
        slots = smallest_type(capacity.slots)
        types = dict.fromkeys(Stream._fields, slots)
        types |= {"tokens": ids, "targets": ids, "loss_weights": "float32"}
        types |= {"positions": position, "query_positions": position}
        types["objective_ids"] = smallest_type(CAPACITY - 1)
        return [
            Field(
                f"{name}.{field}",
                types[field],
                capacity.predictions if field in PREDICTION_FIELDS else capacity.slots,
            )
            for field in Stream._fields
        ]


def smallest_type(most: int) -> str:
    """The smallest unsigned integer type that holds 0 to `most`."""
    return next(t for t in ("uint8", "uint16", "uint32") if most <= np.iinfo(t).max)


def encode(batch: Batch, row_format: RowFormat) -> list[bytes]:
    """Each row of a batch as bytes.

    Raises:
      UsageError: an id outside the vocabulary.
      OverflowError: a value that its field cannot hold.
    """
    size = batch.decoder.tokens.shape[0]
    rows = np.zeros(size, row_format.dtype())
    for field in row_format.fields():
        stream, name = field.name.split(".")
        values = np.asarray(getattr(getattr(batch, stream), name))
        if name in VOCABULARY_FIELDS:
            wrong = outside(values, row_format.vocabulary_size)
            if wrong is not None:
                raise UsageError(
                    f"{field.name} of a row is {values[wrong]}, outside the vocabulary "
                    f"[0, {row_format.vocabulary_size}); the text was tokenised with "
                    "another vocabulary than the mixture's."
                )
        if values.dtype != np.float32 and values.size:
            low, high = int(values.min()), int(values.max())
            if low < 0 or high > np.iinfo(field.dtype).max:
                raise OverflowError(f"{field.name} has {low} to {high}: {field.dtype}")
        rows[field.name] = values
    return [row.tobytes() for row in rows]


def decode(records: Sequence[bytes], row_format: RowFormat) -> Batch:
    """The batch of some rows, as packing wrote it: int32 and float32.

    Raises:
      ValueError: a record of another size than the format's.
    """
    dtype = row_format.dtype()
    joined = b"".join(records)
    if any(len(record) != dtype.itemsize for record in records):
        sizes = sorted({len(record) for record in records})
        raise ValueError(f"records of {sizes} bytes, where a row has {dtype.itemsize}")
    rows = np.frombuffer(joined, dtype)
    values = _widened(rows, row_format.fields())
    streams = [
        Stream(*(values[f"{name}.{field}"] for field in Stream._fields))
        for name in ("decoder", "encoder")
        if f"{name}.tokens" in values
    ]
    if len(streams) == 1:
        return Batch(streams[0])
    memory = Memory(*(values[f"memory.{f}"] for f in Memory._fields))
    return Batch(streams[0], streams[1], memory)


def _widened(rows: np.ndarray, fields: Sequence[Field]) -> dict[str, np.ndarray]:
    """Each field as int32 or float32, in one piece of memory.

    Ten pieces are large enough that each is mapped anew, which takes four times as
    long as filling them.
    """
    memory = np.empty(len(rows) * sum(field.length for field in fields), np.int32)
    values: dict[str, np.ndarray] = {}
    at = 0
    for field in fields:
        size = len(rows) * field.length
        part = memory[at : at + size].reshape(len(rows), field.length)
        at += size
        if field.dtype == "float32":
            part = part.view(np.float32)
        part[...] = rows[field.name]
        values[field.name] = part
    return values


def wrong_id(batch: Batch, vocabulary_size: int) -> tuple[int, str, int] | None:
    """The row, field and value of an id outside [0, V), or None."""
    for stream in ("decoder", "encoder"):
        part = getattr(batch, stream)
        for name in VOCABULARY_FIELDS if part is not None else ():
            values = getattr(part, name)
            place = outside(values, vocabulary_size)
            if place is not None:
                return int(place[0]), f"{stream}.{name}", int(values[place])
    return None


def outside(values: np.ndarray, size: int) -> tuple[np.intp, ...] | None:
    """The place of a value outside [0, size), or None."""
    if not values.size or (values.max() < size and values.min() >= 0):
        return None
    return tuple(np.argwhere((values < 0) | (values >= size))[0])
