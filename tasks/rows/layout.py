"""From Example to slots: where each token goes in a decoder or an encoder–decoder.

A layout places an Example in slots numbered from 0; packing moves it to free slots.
The rules:

  - a token of `inputs` sees all of `inputs`, or as many as `inputs_sees` says, and asks
    from its own position;
  - target j is asked from a slot that holds target j-1 (BOS for the first), stands
    as a key where that token stands, and asks from one before target j. The slot sees
    all of `inputs` and the target slots up to itself;
  - with `targets_shown`, the slot of target j holds what is shown for it, stands and
    asks from where target j stands, and sees so many of `inputs` as `targets_sees` says
    and the slots of its own block.

So each slot sees one interval of each stream. Where one stream holds both parts, a slot
that sees inputs and its own block can see only those that meet.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32, Int64

from ...models.rows import Capacity, RowShape
from ...objectives.budget import Budget
from ...objectives.example import Example
from .blocks import Blocks, block_bounds, blocks_of

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
    """An Example laid out.

    Attributes:
      objective: of the Example.
      decoder: its slots there.
      encoder: likewise, if the rows have an encoder.
      blocks: what the decoder slots see; None where targets follow one another.
    """

    objective: int
    decoder: Slots
    encoder: Slots | None
    blocks: Blocks | None = None

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
      blocks: of all decoder slots; None if no targets are predicted in blocks.
    """

    objectives: Int32[np.ndarray, " N"]
    decoder: "FlatSlots"
    encoder: "FlatSlots | None"
    blocks: Blocks | None = None

    def placed(self) -> list[Placed]:
        """Each Example by itself; its arrays are views."""
        objectives = self.objectives.tolist()
        decoders = self.decoder.each()
        none = [None] * len(objectives)
        encoders = none if self.encoder is None else self.encoder.each()
        if self.blocks is None:
            return list(map(Placed, objectives, decoders, encoders))
        ends = np.cumsum(self.decoder.sizes[:, 0])[:-1]
        blocks = map(Blocks, *(np.split(values, ends) for values in self.blocks))
        return list(map(Placed, objectives, decoders, encoders, blocks))


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

    Raises:
      UsageError: inputs and targets that one stream cannot hold.
    """
    objectives = np.array([example.objective for example in examples], np.int32)
    fields = dict(zip(Example._fields, zip(*examples, strict=True), strict=True))
    del fields["objective"]
    inputs = np.array([len(tokens) for tokens in fields["inputs"]])
    targets = np.array([len(tokens) for tokens in fields["targets"]])
    if shape.encoder is None:
        blocks = blocks_of(fields["targets_sees"], inputs, targets, one_stream=True)
        return Laid(objectives, _one_stream(fields, inputs, targets, bos), None, blocks)
    none = np.zeros_like(inputs)
    nothing = [_NOTHING] * len(inputs)
    only_targets = {n: nothing if n.startswith("in") else v for n, v in fields.items()}
    only_inputs = {n: nothing if n.startswith("ta") else v for n, v in fields.items()}
    return Laid(
        objectives,
        _one_stream(only_targets, none, targets, bos),
        _one_stream(only_inputs, inputs, none, bos),
        blocks_of(fields["targets_sees"], inputs, targets, one_stream=False),
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
    visible_to = np.where(is_target, place + 1, inputs[example]).astype(np.int32)
    if any(map(len, fields["inputs_sees"])):
        limited = np.array(list(map(len, fields["inputs_sees"])))[example] > 0
        visible_to[limited & ~is_target] = np.concatenate(fields["inputs_sees"])
    if any(map(len, fields["targets_shown"])):
        in_block = np.array(list(map(len, fields["targets_shown"])))[example] > 0
        in_block &= is_target
        held[in_block] = np.concatenate(fields["targets_shown"])
        stands[in_block] = asks_from[in_block] = positions[in_block]
        ends = [block_bounds(sees)[1] for sees in fields["targets_sees"]]
        visible_to[in_block] = inputs[example[in_block]] + np.concatenate(ends)
    predicted = np.flatnonzero(weights)
    return FlatSlots(
        Slots(
            tokens=held.astype(np.int32, copy=False),
            positions=stands.astype(np.int32, copy=False),
            query_positions=asks_from.astype(np.int32, copy=False),
            visible_to=visible_to,
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
