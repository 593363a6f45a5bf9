"""From Example to slots: where each token goes in a decoder or an encoder–decoder.

A layout places an Example in slots numbered from 0; packing moves it to free slots.
The rules:

  - a token of `inputs` sees all of `inputs` and asks from its own position;
  - target j is asked from a slot that holds target j-1 (BOS for the first), stands
    as a key where that token stands, and asks from one before target j. The slot sees
    all of `inputs` and the target slots up to itself.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32, Int64

from ...models.rows import Capacity, RowShape
from ...objectives.budget import Budget
from ...objectives.example import Example

_NOTHING = np.zeros(0, np.int32)


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


class Laid(NamedTuple):
    """Examples laid out, one after another in flat arrays: cheap to make and to send.

    Attributes:
      objectives: of each Example.
      decoder: the slots of all, and how many of them are each Example's.
      encoder: likewise, if the rows have an encoder.
    """

    objectives: Int32[np.ndarray, " N"]
    decoder: "FlatSlots"
    encoder: "FlatSlots | None"

    def placed(self) -> list[Placed]:
        """Each Example by itself; its arrays are views."""
        objectives = self.objectives.tolist()
        decoders = self.decoder.each()
        if self.encoder is None:
            return [
                Placed(o, d, None) for o, d in zip(objectives, decoders, strict=True)
            ]
        return list(map(Placed, objectives, decoders, self.encoder.each()))


class FlatSlots(NamedTuple):
    """The slots of many Examples in one stream; intervals count from each one's first.

    Attributes:
      slots: of all, Example after Example.
      sizes: slots and predictions of each Example.
    """

    slots: Slots
    sizes: Int64[np.ndarray, "N 2"]

    def each(self) -> list[Slots]:
        """The slots of each Example, as views."""
        ends = np.cumsum(self.sizes, axis=0).tolist()
        tokens, positions, query_positions, visible_to, places, targets, weights = (
            self.slots
        )
        each, start, first = [], 0, 0
        for stop, last in ends:
            slots, predictions = slice(start, stop), slice(first, last)
            each.append(
                Slots(
                    tokens[slots],
                    positions[slots],
                    query_positions[slots],
                    visible_to[slots],
                    places[predictions],
                    targets[predictions],
                    weights[predictions],
                )
            )
            start, first = stop, last
        return each


def capacities(shape: RowShape) -> tuple[int, ...]:
    """Every capacity of a row: slots and predictions of each stream."""
    return tuple(shape.decoder) + tuple(shape.encoder or ())


def layout(shape: RowShape, *, bos: int) -> Layout:
    """The layout of one Example for rows of this shape (`lay_out`)."""
    return lambda example: lay_out([example], shape, bos=bos).placed()[0]


def lay_out(examples: Sequence[Example], shape: RowShape, *, bos: int) -> Laid:
    """Lays out many Examples for rows of this shape, for the price of a few.

    Args:
      examples: at least one.
      shape: with an encoder, inputs and targets go to two streams, else into one.
      bos: id held by the slot that asks for the first target.
    """
    objectives = np.array([example.objective for example in examples], np.int32)
    fields = dict(zip(Example._fields, zip(*examples, strict=True), strict=True))
    del fields["objective"]
    inputs = np.array([len(tokens) for tokens in fields["inputs"]])
    targets = np.array([len(tokens) for tokens in fields["targets"]])
    if shape.encoder is None:
        return Laid(objectives, _one_stream(fields, inputs, targets, bos), None)
    none = np.zeros_like(inputs)
    nothing = [_NOTHING] * len(inputs)
    only_targets = {n: nothing if n.startswith("in") else v for n, v in fields.items()}
    only_inputs = {n: nothing if n.startswith("ta") else v for n, v in fields.items()}
    return Laid(
        objectives,
        _one_stream(only_targets, none, targets, bos),
        _one_stream(only_inputs, inputs, none, bos),
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


def _one_stream(
    fields: Mapping[str, Sequence[np.ndarray]],
    inputs: Int64[np.ndarray, " N"],
    targets: Int64[np.ndarray, " N"],
    bos: int,
) -> FlatSlots:
    """The slots of Examples in one stream, the targets of each after its inputs.

    Args:
      fields: the arrays of all Examples, by field.
      inputs: number of each Example's inputs.
      targets: number of each Example's targets.
      bos: as for `lay_out`.
    """
    size = inputs + targets
    end = np.cumsum(size)
    example = np.repeat(np.arange(len(size)), size)
    place = np.arange(len(example)) - (end - size)[example]  # within its Example
    is_target = place >= inputs[example]
    first_target = is_target & (place == inputs[example])

    tokens = _interleaved(fields["inputs"], fields["targets"], np.int32)
    positions = _interleaved(
        fields["inputs_positions"], fields["targets_positions"], np.int32
    )
    weights = _interleaved(
        fields["inputs_weights"], fields["targets_weights"], np.float32
    )
    answers = _interleaved(fields["inputs_targets"], fields["targets"], np.int32)

    asks_from = positions - is_target
    # A target's slot holds the target before it and stands there. The first holds no
    # token of the text; its position is where it asks from.
    before = np.empty_like(tokens)
    before[:1], before[1:] = bos, tokens[:-1]
    stands = np.empty_like(positions)
    stands[:1], stands[1:] = 0, positions[:-1]
    held = np.where(is_target, np.where(first_target, bos, before), tokens)
    stands = np.where(is_target, np.where(first_target, asks_from, stands), positions)
    predicted = np.flatnonzero(weights)
    return FlatSlots(
        Slots(
            tokens=held.astype(np.int32),
            positions=stands.astype(np.int32),
            query_positions=asks_from.astype(np.int32),
            visible_to=np.where(is_target, place + 1, inputs[example]).astype(np.int32),
            prediction_slots=place[predicted].astype(np.int32),
            targets=answers[predicted],
            loss_weights=weights[predicted],
        ),
        np.stack([size, np.bincount(example[predicted], minlength=len(size))], axis=1),
    )


def _interleaved(
    first: Sequence[np.ndarray], second: Sequence[np.ndarray], dtype: type
) -> np.ndarray:
    """All arrays in one: one of the first, one of the second, and so on."""
    arrays = [array for pair in zip(first, second, strict=True) for array in pair]
    return np.concatenate(arrays).astype(dtype, copy=False)
