"""Packers side by side, on the same Examples."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from ...models.rows import RowShape
from ..rows.layout import Placed, capacities
from ..rows.packing import first_fit


class Packing(NamedTuple):
    """What a packer made of the Examples."""

    packer: str
    rows: int
    filled: float
    speed: float


def packings(placed: Sequence[Placed], shape: RowShape) -> list[Packing]:
    """First-fit's packing and SeqIO's, of the same Examples.

    All rows count, also those that are still open when the Examples end.
    """
    from ..seqio_tasks.packing import seqio_filled

    began = time.perf_counter()
    rows = list(first_fit(placed, shape))
    middle = time.perf_counter()
    seqio_rows, seqio_share = seqio_filled(placed, shape)
    end = time.perf_counter()
    slots = sum(capacities(shape)[::2])
    filled = sum(sum(example.sizes[::2]) for example in placed) / (len(rows) * slots)
    number = len(placed)
    return [
        Packing(
            "first-fit, every capacity", len(rows), filled, number / (middle - began)
        ),
        Packing("SeqIO, slots only", seqio_rows, seqio_share, number / (end - middle)),
    ]
