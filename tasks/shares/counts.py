"""Examples, processed and supervised tokens of each objective of a mixture."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Int64

from ...models.rows import Batch
from ...objectives.registry import CAPACITY


class Counts(NamedTuple):
    """Counts by objective id; they add up over batches.

    Attributes:
      examples: Examples.
      processed: slots filled, in every stream.
      supervised: predictions with a weight.
    """

    examples: Int64[np.ndarray, " O"]
    processed: Int64[np.ndarray, " O"]
    supervised: Int64[np.ndarray, " O"]

    def shares(self) -> dict[str, Float[np.ndarray, " O"]]:
        """Each count as a share of its sum, [O] float; 0 if the sum is 0."""
        return {
            name: values / max(1, values.sum())
            for name, values in self._asdict().items()
        }


def zero_counts() -> Counts:
    """Counts of no batch."""
    return Counts(*(np.zeros(CAPACITY, np.int64) for _ in Counts._fields))


def loss_shares_of(
    counts: Counts, shares: Float[np.ndarray, " O"], *, normalisation: str
) -> Float[np.ndarray, " O"]:
    """The shares of the loss: those asked for, or those of a plain token sum.

    Args:
      counts: of the batches.
      shares: asked for.
      normalisation: `models.loss.Normalisation`.
    """
    return counts.shares()["supervised"] if normalisation == "token_sum" else shares


def add(left: Counts, right: Counts) -> Counts:
    """The sum of both."""
    return Counts(*map(np.add, left, right))


def utilisation(batches: Sequence[Batch]) -> dict[str, float]:
    """The share of each capacity that is filled, by name, over all the batches."""
    names = {"decoder": "", "encoder": "memory_"}
    filled: dict[str, float] = {}
    for field, prefix in names.items():
        streams = [s for b in batches if (s := getattr(b, field)) is not None]
        if streams:
            slots = np.mean([np.mean(s.segment_ids > 0) for s in streams])
            predictions = np.mean([np.mean(s.loss_weights > 0) for s in streams])
            filled[f"{prefix}slots"] = float(slots)
            filled[f"{prefix}predictions"] = float(predictions)
    return filled


def count(batch: Batch) -> Counts:
    """Counts a batch of NumPy arrays.

    A segment belongs to the objective of its predictions, of which every Example has at
    least one; both streams of a row number segments alike.
    """
    streams = [batch.decoder] + ([batch.encoder] if batch.encoder else [])
    segments = 1 + max(int(stream.segment_ids.max()) for stream in streams)
    objective_of = np.full((len(batch.decoder.tokens), segments), -1)
    supervised = np.zeros(CAPACITY, np.int64)
    for stream in streams:
        row, place = np.nonzero(stream.loss_weights)
        slot = np.asarray(stream.prediction_slots)[row, place]
        objective = np.asarray(stream.objective_ids)[row, place]
        objective_of[row, np.asarray(stream.segment_ids)[row, slot]] = objective
        supervised += _by_objective(objective)
    processed = np.zeros(CAPACITY, np.int64)
    for stream in streams:
        row, slot = np.nonzero(stream.segment_ids)
        segment = np.asarray(stream.segment_ids)[row, slot]
        processed += _by_objective(objective_of[row, segment])
    present = objective_of[:, 1:]
    return Counts(_by_objective(present[present >= 0]), processed, supervised)


def _by_objective(ids: Int[np.ndarray, " n"]) -> Int64[np.ndarray, " O"]:
    return np.bincount(ids, minlength=CAPACITY).astype(np.int64)
