"""The row contract: what packing writes and a model reads.

Axis legend, one for the repo: B batch, T slots, S memory slots (the encoder's), P
predictions, D model width, H heads, K head width, F hidden width of the MLP, V
vocabulary, L layers, O objectives, G key groups (heads that share keys), I inputs and
J targets of an Example, N tokens of a text, R rows.

Worked example: one decoder row of 8 slots and 6 predictions that holds a causal
Example of `a b c` and a masked Example of `d e` in which `e` is masked (`_`). `^` is
BOS; the last three slots are free.

    slot               0  1  2  3  4  5  6  7
    tokens             ^  a  b  d  _  .  .  .
    positions          0  1  2  1  2  0  0  0     where the token stands, as a key
    query_positions    0  1  2  1  2  0  0  0     from where the slot asks
    segment_ids        1  1  1  2  2  0  0  0     Example in the row; 0 is free
    visible_from       0  0  0  3  3  0  0  0     sees slots [from, to)
    visible_to         1  2  3  5  5  0  0  0

    prediction_slots   0  1  2  4  0  0
    targets            a  b  c  e  0  0
    loss_weights       1  1  1  1  0  0           weight 0: no prediction
    objective_ids      0  0  0  1  0  0
"""

import dataclasses
from typing import Literal, NamedTuple

import jax
import numpy as np
from jaxtyping import Float32, Int32

from ..objectives.errors import UsageError, require_count

Array = jax.Array | np.ndarray

Architecture = Literal["decoder", "encoder_decoder"]

Normalisation = Literal["objective", "token_sum"]
"""How the weighted predictions of a batch become its loss (`models.loss`)."""


class Stream(NamedTuple):
    """One stream of a packed batch, for one stack of layers.

    A slot attends to exactly the slots in `[visible_from, visible_to)` of its own
    row. An empty interval is legal and attends to nothing.
    """

    tokens: Int32[Array, "B T"]
    positions: Int32[Array, "B T"]
    query_positions: Int32[Array, "B T"]
    segment_ids: Int32[Array, "B T"]
    visible_from: Int32[Array, "B T"]
    visible_to: Int32[Array, "B T"]
    prediction_slots: Int32[Array, "B P"]
    targets: Int32[Array, "B P"]
    loss_weights: Float32[Array, "B P"]
    objective_ids: Int32[Array, "B P"]


PREDICTION_FIELDS = ("prediction_slots", "targets", "loss_weights", "objective_ids")
"""The fields of a stream that are [B, P]; the others are [B, T]."""


class Memory(NamedTuple):
    """Which slots of the encoder each decoder slot sees: `[memory_from, memory_to)`."""

    memory_from: Int32[Array, "B T"]
    memory_to: Int32[Array, "B T"]


class Batch(NamedTuple):
    """A packed batch. A decoder model has one stream, an encoder–decoder two.

    Attributes:
      decoder: a decoder model's only stream (inputs, then targets), or the targets.
      encoder: the inputs of an encoder–decoder; None for a decoder model.
      memory: what the decoder sees of the encoder; None for a decoder model.
    """

    decoder: Stream
    encoder: Stream | None = None
    memory: Memory | None = None


class Capacity(NamedTuple):
    """What one stream of one row holds: slots (T or S) and predictions (P)."""

    slots: int
    predictions: int


@dataclasses.dataclass(frozen=True)
class RowShape:
    """The capacities of a row; they choose the architecture.

    Attributes:
      decoder: of the decoder stream.
      encoder: of the encoder stream; None for a decoder model.
    """

    decoder: Capacity
    encoder: Capacity | None = None

    @property
    def architecture(self) -> Architecture:
        """The architecture that reads such rows."""
        return "decoder" if self.encoder is None else "encoder_decoder"


def decoder_rows(*, slots: int, predictions: int) -> RowShape:
    """Rows for a decoder model."""
    return RowShape(_capacity("", slots, predictions))


def encoder_decoder_rows(
    *, slots: int, predictions: int, memory_slots: int, memory_predictions: int
) -> RowShape:
    """Rows for an encoder–decoder; `memory_*` are the encoder's capacities."""
    return RowShape(
        _capacity("", slots, predictions),
        _capacity("memory_", memory_slots, memory_predictions),
    )


def _capacity(prefix: str, slots: int, predictions: int) -> Capacity:
    require_count(f"{prefix}slots", slots)
    require_count(f"{prefix}predictions", predictions)
    if predictions > slots:
        raise UsageError(
            f"a row needs {prefix}slots ≥ 1 and 1 ≤ {prefix}predictions ≤ "
            f"{prefix}slots, got {prefix}slots={slots} and "
            f"{prefix}predictions={predictions}."
        )
    return Capacity(slots, predictions)
