"""Packers side by side, on the same Examples."""

import importlib.util
import time
from collections.abc import Sequence
from typing import NamedTuple

from ...models.rows import RowShape
from ..rows.layout import Placed, capacities
from ..rows.packing import first_fit


class Packing(NamedTuple):
    """The rows that a packer made, how full they are, and Examples per second."""

    packer: str
    rows: int
    filled: float
    speed: float


def packings(placed: Sequence[Placed], shape: RowShape) -> list[Packing]:
    """First-fit's packing and, where SeqIO is installed, SeqIO's, of the same Examples.

    All rows count, including those still open when the Examples end.
    """
    start = time.perf_counter()
    rows = list(first_fit(placed, shape))
    seconds = time.perf_counter() - start
    slots = sum(capacities(shape)[::2])
    filled = sum(sum(example.sizes[::2]) for example in placed) / (len(rows) * slots)
    count = len(placed)
    ours = Packing("first-fit, every capacity", len(rows), filled, count / seconds)
    if importlib.util.find_spec("seqio") is None:
        return [ours]
    from ..seqio_tasks.packing import seqio_filled

    start = time.perf_counter()
    seqio_rows, seqio_share = seqio_filled(placed, shape)
    seconds = time.perf_counter() - start
    return [
        ours,
        Packing("SeqIO, slots only", seqio_rows, seqio_share, count / seconds),
    ]
