"""Keys and values that are kept, so that a slot costs one look at them."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Int32

from .projections import KeysValues
from .rows import Batch, Memory


class Cache(NamedTuple):
    """Keys and values of all layers of a decoder stack.

    Keys are L·B·S·G·K numbers in the compute dtype, values as many: with L=12, S=1024,
    G·K=768 and bfloat16 both take 38 MB a row.

    Attributes:
      own: of the stream's own slots, [L B S G K].
      memory: of the encoder's slots; None for a decoder model.
    """

    own: KeysValues
    memory: KeysValues | None = None


def writing(
    cached: KeysValues, layer: Int32[jax.Array, ""], slots: Int32[jax.Array, "B n"]
) -> Callable[[KeysValues], tuple[KeysValues, KeysValues]]:
    """A `block.Remember` that writes n slots a row into one layer of a cache.

    Args:
      cached: of all layers, [L B S G K].
      layer: number of the layer.
      slots: where each row's slots go; one at S or beyond is not written.

    Returns:
      `own -> (all of the layer's keys and values, all of all layers)`.
    """
    rows = jnp.arange(slots.shape[0])[:, None]

    def remember(own: KeysValues) -> tuple[KeysValues, KeysValues]:
        # All layers are one array that is changed in place: were each layer's slice
        # taken and put back, a step would copy the whole cache.
        kept = jax.tree.map(
            lambda old, new: old.at[layer, rows, slots].set(new, mode="drop"),
            cached,
            own,
        )
        return jax.tree.map(lambda x: x[layer], kept), kept

    return remember


def slots_of_each(batch: Batch, slots: Int32[jax.Array, "B n"]) -> Batch:
    """Some slots of each row of the decoder stream; the encoder stays whole.

    For a slot beyond the last the last one stands.
    """

    def take(x) -> jax.Array:  # [B T] -> [B n]
        return jnp.take_along_axis(jnp.asarray(x), slots, axis=1, mode="clip")

    decoder, memory = batch.decoder, batch.memory
    per_slot = ("tokens", "positions", "query_positions", "segment_ids")
    per_slot += ("visible_from", "visible_to")
    taken = {field: take(getattr(decoder, field)) for field in per_slot}
    return batch._replace(
        decoder=decoder._replace(**taken),
        memory=None if memory is None else Memory(*map(take, memory)),
    )
