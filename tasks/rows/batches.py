"""Batches from a stream of Examples."""

import itertools
from collections.abc import Iterable, Iterator

import numpy as np

from ...models.rows import Batch, RowShape, Stream
from ...objectives.errors import UsageError
from ...objectives.example import Example
from ...objectives.special_ids import SpecialIds
from .layout import Placed, lay_out
from .packing import collate, first_fit

_GROUP = 64
"""Examples laid out together: one alone costs about as much."""


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
