"""What mixing rows at serve time costs: how full rows of one objective each are."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from ...models.rows import Batch, Stream
from ...objectives.errors import UsageError
from ..rows.layout import Placed, Slots, capacities
from ..rows.packing import LOOK_BACK, first_fit
from .manifest import GroupRows
from .order import row_shares
from .serve import Recording

SAMPLE = 1024
"""Rows of which Examples are packed together for comparison."""


class GroupFill(NamedTuple):
    """A group among the rows that are served.

    Attributes:
      name: of its task.
      examples: its share of the Examples.
      examples_a_row: mean.
      rows: its share of the rows.
      filled: share of the slots of its rows that is filled.
    """

    name: str
    examples: float
    examples_a_row: float
    rows: float
    filled: float


class ServingCost(NamedTuple):
    """How full rows are that are mixed at serve time, and rows packed together.

    Attributes:
      groups: of each group.
      filled: share of slots filled, over all rows served.
      mixed: the same of the same Examples packed into common rows; None where the
        sample is too small.
    """

    groups: list[GroupFill]
    filled: float
    mixed: float | None


def serving_cost(
    recording: Recording, rates: Mapping[str, float] | None = None
) -> ServingCost:
    """Measures what it costs in fill to mix rows, not Examples.

    Args:
      recording: of the layout `per_objective`.
      rates: of the tasks; None for those it was recorded with.

    Raises:
      UsageError: rates of tasks that are not recorded, or rows that are mixed already.
    """
    manifest = recording.manifest
    if manifest.recipe["layout"] != "per_objective":
        raise UsageError(
            f"{recording.folder} holds mixed rows, whose rates are fixed; record with "
            "--layout=per_objective to mix when serving."
        )
    if rates is None:
        tasks = manifest.recipe["tasks"]
        rates = {name: task["share"] for name, task in tasks.items()}
    groups = groups_of(recording, rates)
    shares = row_shares(rates, {name: g.examples_a_row for name, g in groups.items()})
    total = sum(rates.values())
    slots = sum(capacities(manifest.row_format.shape)[::2])
    fills = {
        name: sum(group.processed.values()) / (group.rows * slots)
        for name, group in groups.items()
    }
    lines = [
        GroupFill(n, rate / total, groups[n].examples_a_row, shares[n], fills[n])
        for n, rate in rates.items()
    ]
    filled = sum(line.rows * line.filled for line in lines)
    return ServingCost(lines, filled, _packed_together(recording, groups, shares))


def groups_of(recording: Recording, tasks: Mapping[str, float]) -> dict[str, GroupRows]:
    """The training group of each task.

    Raises:
      UsageError: a task has none, or one without rows.
    """
    groups = {group.name: group for group in recording.manifest.of_split("train")}
    for task in tasks:
        if task not in groups or groups[task].rows == 0:
            raise UsageError(
                f"{recording.folder} has no rows of {task!r}; recorded: "
                f"{', '.join(groups)}. Record a mixture that has it, or give it a rate "
                "of 0."
            )
    return {task: groups[task] for task in tasks}


def _packed_together(
    recording: Recording, groups: Mapping[str, GroupRows], shares: Mapping[str, float]
) -> float | None:
    """The fill of common rows of the Examples of the first rows of each group."""
    shape = recording.manifest.row_format.shape
    # In proportion, of the largest sample of which every group has enough.
    scale = min([SAMPLE, *(g.rows / shares[name] for name, g in groups.items())])
    placed = []
    for name, group in groups.items():
        rows = range(max(1, int(scale * shares[name])))
        placed += _examples(recording.rows(group, rows))
    order = np.random.default_rng(0).permutation(len(placed))
    packed = list(first_fit([placed[n] for n in order], shape))[:-LOOK_BACK]
    if not packed:
        return None
    filled = sum(sum(example.sizes[::2]) for row in packed for example in row)
    return filled / (len(packed) * sum(capacities(shape)[::2]))


def _examples(batch: Batch) -> Iterator[Placed]:
    """The sizes of a batch's Examples, without their content."""
    decoder = _sizes(batch.decoder)
    encoder = _sizes(batch.encoder) if batch.encoder else {}
    for place in sorted(decoder.keys() | encoder.keys()):
        slots = [_of_size(*sizes.get(place, (0, 0))) for sizes in (decoder, encoder)]
        yield Placed(0, slots[0], slots[1] if batch.encoder else None)


def _sizes(stream: Stream) -> dict[tuple[int, int], tuple[int, int]]:
    """Slots and predictions by row and segment."""
    segments = np.asarray(stream.segment_ids)
    rows, at = np.nonzero(np.asarray(stream.loss_weights))
    predicting = segments[rows, np.asarray(stream.prediction_slots)[rows, at]]
    width = int(segments.max(initial=0)) + 1
    number = np.arange(len(segments))[:, None] * width + segments
    slots = np.bincount(number.ravel(), minlength=len(segments) * width)
    predictions = np.bincount(rows * width + predicting, minlength=slots.size)
    return {
        divmod(place, width): (int(slots[place]), int(predictions[place]))
        for place in np.flatnonzero(slots).tolist()
        if place % width
    }


def _of_size(slots: int, predictions: int) -> Slots:
    none, free = np.zeros(slots, np.int32), np.zeros(predictions, np.int32)
    weights = np.zeros(predictions, np.float32)
    return Slots(none, none, none, none, free, free, weights)
