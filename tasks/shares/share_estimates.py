"""Measured shares of a mixture: of each objective in a sample of Examples."""

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
    """Sizes of each Example of a sample.

    Attributes:
      objective: its objective's id.
      processed: slots, in every stream.
      supervised: predictions.
    """

    objective: Int64[np.ndarray, " N"]
    processed: Int64[np.ndarray, " N"]
    supervised: Int64[np.ndarray, " N"]


def sizes(examples: Sequence[Placed]) -> Sizes:
    """The sizes of laid-out Examples."""
    used = np.array([example.sizes for example in examples], np.int64)
    return Sizes(
        np.array([example.objective for example in examples], np.int64),
        used[:, ::2].sum(1),
        used[:, 1::2].sum(1),
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
    return {name: total / total.sum() for name, total in sums.items()}


class Packed(NamedTuple):
    """How Examples fill rows.

    Attributes:
      rows: the Examples of each row; rows still open at the end are left out, as a
        longer run would fill them.
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
    used = np.array([np.sum([e.sizes for e in row], axis=0) for row in rows])
    capacity = np.array(capacities(shape))
    names: list[str] = ["slots", "predictions", "memory_slots", "memory_predictions"]
    filled = dict(zip(names, (used.mean(0) / capacity).tolist(), strict=False))
    return Packed(rows, filled, float(used[:, ::2].sum(1).mean() / capacity[::2].sum()))


def loss_shares(
    rows: Sequence[Sequence[Placed]],
    shares: Float[np.ndarray, " O"],
    *,
    batch_rows: int,
) -> Float[np.ndarray, " O"]:
    """Each objective's mean share of a batch's loss, if all have equal losses.

    An objective absent from a batch adds nothing to that batch's loss, so a rare one
    gets less than its requested share. 0 where none that is present has a share.

    Args:
      rows: the Examples of each row.
      shares: `Mixture.loss_share_array`.
      batch_rows: rows of a batch; rows of an incomplete batch are left out, unless
        there is no other.
    """
    size = min(batch_rows, len(rows))
    batch_shares = np.zeros((len(rows) // size, CAPACITY))
    for number in range(len(batch_shares)):
        batch = rows[number * size : (number + 1) * size]
        present = [example.objective for row in batch for example in row]
        batch_shares[number, present] = shares[present]
    return batch_shares.mean(0) / max(batch_shares.mean(0).sum(), 1e-30)


def loss_of(
    packed_mixture: PackedMixture,
    shares: Mapping[str, Float[np.ndarray, " O"]],
    packed: Packed,
) -> Float[np.ndarray, " O"]:
    """Each objective's share of the loss, from measured shares and packed rows."""
    if packed_mixture.normalisation == "token_sum":  # every prediction counts alike
        return shares["supervised"]
    requested = packed_mixture.mixture.loss_share_array().astype(float)
    return loss_shares(packed.rows, requested, batch_rows=packed_mixture.batch_rows)
