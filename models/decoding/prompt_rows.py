"""From prompts to rows: one Example a row, its targets known or still to come."""

import jax
import jax.numpy as jnp
from jaxtyping import Int32

from ..rows import Array, Batch, Memory, Stream
from .prompts import Prompts


def first_slots(prompts: Prompts, batch: Batch) -> Int32[jax.Array, " B"]:
    """The slot that predicts each row's first target."""
    lengths = jnp.asarray(prompts.inputs_lengths)
    return lengths if batch.encoder is None else jnp.zeros_like(lengths)


def decoder_batch(prompts: Prompts, *, bos: int | Int32[Array, ""]) -> Batch:
    """One Example a row for a decoder model: I+J slots, targets behind the inputs.

    The rule is the one of training's layout: a token of the inputs sees all inputs
    and asks from its own position; target j is asked from a slot that holds target
    j-1 (`bos` for the first), stands where that one stands, and asks from one before
    target j. Slots of free targets hold token 0; they are written when it is known.
    """
    inputs, targets = _inputs(prompts), _targets(prompts, bos)
    slots = jnp.arange(inputs.tokens.shape[1] + targets.tokens.shape[1])
    lengths = jnp.asarray(prompts.inputs_lengths)[:, None]
    # Where slot s of the row lies in [inputs, targets], each padded to its width.
    source = jnp.where(slots < lengths, slots, slots + inputs.tokens.shape[1] - lengths)
    source = jnp.minimum(source, len(slots) - 1)  # behind the row: never seen

    def merge(x: Array, y: Array) -> jax.Array:  # [B I], [B J] -> [B S]
        both = jnp.concatenate([jnp.asarray(x), jnp.asarray(y)], axis=1)
        return jnp.take_along_axis(both, source, axis=1)

    merged = Stream(*(merge(x, y) for x, y in zip(inputs, targets, strict=True)))
    seen = jnp.where(slots < lengths, lengths, slots + 1)
    return Batch(merged._replace(visible_to=seen.astype(jnp.int32)))


def encoder_decoder_batch(prompts: Prompts, *, bos: int | Int32[Array, ""]) -> Batch:
    """One Example a row for an encoder–decoder: inputs to encode, targets to decode."""
    if (
        prompts.inputs.shape[1] == 0
    ):  # a stream has at least one slot; none sees this one
        slot = jnp.zeros((prompts.inputs.shape[0], 1), jnp.int32)
        prompts = prompts._replace(inputs=slot, inputs_positions=slot)
    targets, lengths = (
        _targets(prompts, bos),
        jnp.asarray(prompts.inputs_lengths)[:, None],
    )
    to = jnp.broadcast_to(lengths, targets.tokens.shape)
    return Batch(targets, _inputs(prompts), Memory(jnp.zeros_like(to), to))


def _inputs(prompts: Prompts) -> Stream:
    tokens = jnp.asarray(prompts.inputs)
    lengths = jnp.asarray(prompts.inputs_lengths)[:, None]
    used = jnp.arange(tokens.shape[1]) < lengths
    positions = jnp.where(used, prompts.inputs_positions, 0)
    seen = jnp.where(used, lengths, 0)
    return unscored_stream(jnp.where(used, tokens, 0), positions, positions, seen)


def _targets(prompts: Prompts, bos: int | Int32[Array, ""]) -> Stream:
    tokens, positions = (
        jnp.asarray(prompts.targets),
        jnp.asarray(prompts.targets_positions),
    )
    number = jnp.arange(tokens.shape[1])
    tokens = jnp.where(number < jnp.asarray(prompts.given)[:, None], tokens, 0)
    asks_from = positions - 1
    first = jnp.full_like(tokens[:, :1], bos)
    tokens = jnp.concatenate([first, tokens[:, :-1]], axis=1)
    stands = jnp.concatenate([asks_from[:, :1], positions[:, :-1]], axis=1)
    seen = jnp.broadcast_to(number + 1, tokens.shape).astype(jnp.int32)
    return unscored_stream(tokens, stands, asks_from, seen)


def unscored_stream(
    tokens: Int32[jax.Array, "B T"],
    positions: Int32[jax.Array, "B T"],
    query_positions: Int32[jax.Array, "B T"],
    visible_to: Int32[jax.Array, "B T"],
) -> Stream:
    """A stream of one Example a row, in which nothing is scored."""
    none = jnp.zeros((tokens.shape[0], 0), jnp.int32)
    return Stream(
        tokens=tokens,
        positions=positions,
        query_positions=query_positions,
        segment_ids=jnp.ones_like(tokens),
        visible_from=jnp.zeros_like(tokens),
        visible_to=visible_to,
        prediction_slots=none,
        targets=none,
        loss_weights=none.astype(jnp.float32),
        objective_ids=none,
    )
