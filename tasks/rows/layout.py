"""From Example to slots: where each token goes in a decoder or an encoder–decoder.

A layout places an Example in slots numbered from 0; packing moves it to free slots.
The rules:

  - a token of `inputs` sees all of `inputs` and asks from its own position;
  - target j is asked from a slot that holds target j-1 (BOS for the first), stands
    as a key where that token stands, and asks from one before target j. The slot sees
    all of `inputs` and the target slots up to itself.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32

from ...models.rows import Capacity, RowShape
from ...objectives.budget import Budget
from ...objectives.example import Example

Ints = Int32[np.ndarray, " n"]


class Slots(NamedTuple):
    """An Example's slots in one stream; intervals count from its first slot."""

    tokens: Int32[np.ndarray, " n"]
    positions: Int32[np.ndarray, " n"]
    query_positions: Int32[np.ndarray, " n"]
    visible_to: Int32[np.ndarray, " n"]
    prediction_slots: Int32[np.ndarray, " p"]
    targets: Int32[np.ndarray, " p"]
    loss_weights: Float32[np.ndarray, " p"]

    @property
    def size(self) -> Capacity:
        return Capacity(len(self.tokens), len(self.targets))


class Placed(NamedTuple):
    """An Example laid out: its decoder slots, and its encoder slots if any."""

    objective: int
    decoder: Slots
    encoder: Slots | None

    @property
    def sizes(self) -> tuple[int, ...]:
        """What it takes of each capacity, in the order of `capacities`."""
        return self.decoder.size + (self.encoder.size if self.encoder else ())


Layout = Callable[[Example], Placed]


def capacities(shape: RowShape) -> tuple[int, ...]:
    """Every capacity of a row: slots and predictions of each stream."""
    return tuple(shape.decoder) + tuple(shape.encoder or ())


def layout(shape: RowShape, *, bos: int) -> Layout:
    """The layout for rows of this shape.

    Args:
      shape: with an encoder, inputs and targets go to two streams, else into one.
      bos: id held by the slot that asks for the first target.
    """
    if shape.encoder is None:
        return lambda example: Placed(
            example.objective,
            _concatenate(_inputs(example), _targets(example, bos)),
            None,
        )
    return lambda example: Placed(
        example.objective, _targets(example, bos), _inputs(example)
    )


def sequence_length(shape: RowShape) -> dict[str, int]:
    """SeqIO's `sequence_length` for these rows: the keys of `objectives.Budget`."""
    slots, predictions = shape.decoder
    if shape.encoder is None:
        return {"slots": slots, "predictions": predictions}
    return {
        "inputs": shape.encoder.slots,
        "inputs_predictions": shape.encoder.predictions,
        "targets": slots,
        "targets_predictions": predictions,
    }


def budget(shape: RowShape) -> Budget:
    """The bounds of these rows on one Example."""
    return Budget.from_sequence_length(sequence_length(shape))


def _inputs(example: Example) -> Slots:
    size = len(example.inputs)
    predicted = np.flatnonzero(example.inputs_weights).astype(np.int32)
    return Slots(
        tokens=example.inputs,
        positions=example.inputs_positions,
        query_positions=example.inputs_positions,
        visible_to=np.full(size, size, np.int32),
        prediction_slots=predicted,
        targets=example.inputs_targets[predicted],
        loss_weights=example.inputs_weights[predicted],
    )


def _targets(example: Example, bos: int) -> Slots:
    size = len(example.targets)
    asks_from = example.targets_positions - 1
    predicted = np.flatnonzero(example.targets_weights).astype(np.int32)
    # The first slot holds no token of the text; its position is where it asks from.
    return Slots(
        tokens=_shifted(example.targets, bos),
        positions=_shifted(example.targets_positions, int(asks_from[0]) if size else 0),
        query_positions=asks_from,
        visible_to=np.arange(1, size + 1, dtype=np.int32),
        prediction_slots=predicted,
        targets=example.targets[predicted],
        loss_weights=example.targets_weights[predicted],
    )


def _shifted(values: Ints, first: int) -> Ints:
    return np.concatenate([[first], values[:-1]]).astype(np.int32)[: len(values)]


def _concatenate(inputs: Slots, targets: Slots) -> Slots:
    """One stream: the targets' slots stand after the inputs and see all of them."""
    offset = len(inputs.tokens)
    shifted = targets._replace(
        visible_to=targets.visible_to + offset,
        prediction_slots=targets.prediction_slots + offset,
    )
    return Slots(*(np.concatenate(pair) for pair in zip(inputs, shifted, strict=True)))
