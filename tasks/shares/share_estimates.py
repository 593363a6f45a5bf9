"""Measured shares of a mixture: what each objective took of a sample of Examples."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64

from ...models.rows import RowShape
from ...objectives.errors import UsageError
from ...objectives.registry import CAPACITY
from ..examples.packed_mixture import PackedMixture
from ..rows.layout import Placed, capacities
from ..rows.packing import LOOK_BACK, first_fit


class Sizes(NamedTuple):
    """What each Example of a sample takes.

    Attributes:
      objective: its objective's id.
      processed: slots, in every stream.
      supervised: predictions.
    """

    objective: Int64[np.ndarray, " N"]
    processed: Int64[np.ndarray, " N"]
    supervised: Int64[np.ndarray, " N"]


def sizes(examples: Sequence[Placed]) -> Sizes:
    """The sizes of laid-out Examples; each takes its slots and predictions."""
    taken = np.array([example.sizes for example in examples], np.int64)
    return Sizes(
        np.array([example.objective for example in examples], np.int64),
        taken[:, ::2].sum(1),
        taken[:, 1::2].sum(1),
    )


def shares(sample: Sizes) -> dict[str, Float[np.ndarray, " O"]]:
    """Each objective's share of examples, processed and supervised tokens."""
    values = {
        "examples": np.ones(len(sample.objective)),
        "processed": sample.processed,
        "supervised": sample.supervised,
    }
    sums = {
        name: np.bincount(sample.objective, value, minlength=CAPACITY)
        for name, value in values.items()
    }
    return {name: found / found.sum() for name, found in sums.items()}


class Packed(NamedTuple):
    """How Examples fill rows.

    Attributes:
      rows: the Examples of each row; those still open at the end are left out, as a
        run that goes on would fill them.
      filled: share of each capacity that is filled, by name.
      slots: share of the slots of all streams that is filled.
    """

    rows: list[list[Placed]]
    filled: Mapping[str, float]
    slots: float


def pack(examples: Sequence[Placed], shape: RowShape) -> Packed:
    """Packs laid-out Examples as a run does.

    Raises:
      ValueError: too few Examples to close a row.
    """
    rows = list(first_fit(examples, shape))[:-LOOK_BACK]
    if not rows:
        raise UsageError(
            f"{len(examples)} Examples close no row of {capacities(shape)} (slots and "
            "predictions of each stream); measure more of them, or use smaller rows."
        )
    taken = np.array([np.sum([e.sizes for e in row], axis=0) for row in rows])
    capacity = np.array(capacities(shape))
    names: list[str] = ["slots", "predictions", "memory_slots", "memory_predictions"]
    filled = dict(zip(names, (taken.mean(0) / capacity).tolist(), strict=False))
    return Packed(
        rows, filled, float(taken[:, ::2].sum(1).mean() / capacity[::2].sum())
    )


def loss_shares(
    rows: Sequence[Sequence[Placed]],
    asked: Float[np.ndarray, " O"],
    *,
    batch_rows: int,
) -> Float[np.ndarray, " O"]:
    """Each objective's mean share of a batch's loss, where all losses are alike.

    An objective that is absent from a batch adds nothing to that batch's loss, so a
    rare one gets less than its share asks for.

    Args:
      rows: the Examples of each row.
      asked: `Mixture.loss_share_array`.
      batch_rows: rows of a batch; rows that fill none are left out, unless all are.
    """
    size = min(batch_rows, len(rows))
    given = np.zeros((len(rows) // size, CAPACITY))
    for number in range(len(given)):
        batch = rows[number * size : (number + 1) * size]
        present = [example.objective for row in batch for example in row]
        given[number, present] = asked[present]
    return given.mean(0) / given.mean(0).sum()


def loss_of(
    mixed: PackedMixture,
    shares: Mapping[str, Float[np.ndarray, " O"]],
    packed: Packed,
) -> Float[np.ndarray, " O"]:
    """Each objective's share of the loss, from measured shares and packed rows."""
    if mixed.normalisation == "token_sum":  # every prediction counts alike
        return shares["supervised"]
    wanted = mixed.mixture.loss_share_array().astype(float)
    return loss_shares(packed.rows, wanted, batch_rows=mixed.batch_rows)
