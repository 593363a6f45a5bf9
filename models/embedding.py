"""Token embedding in, vocabulary projection out."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Float, Float32, Int32

from .axes import MESH_AXES, used, used_spec
from .config import ModelConfig
from .initialisers import fan_in
from .rows import Array


class Embedding(nnx.Module):
    """The tables between token ids and hidden states; one when tied, else two.

    Neither direction has a factor: `x = E[token]` and `logits = h·Uᵀ`, U being E when
    tied. So Llama and T5 v1.1 weights fit as they are, and a tied T5 v1.0, which
    multiplies logits by 1/√D, fits with that factor in its final norm's scale.
    """

    def __init__(self, config: ModelConfig, rngs: nnx.Rngs, *, vocabulary_size: int):
        shape, axes = (vocabulary_size, config.d_model), ("vocab", "embed")
        self.table = fan_in(rngs, shape, axes, inputs=config.d_model)
        self.output = (
            None
            if config.tie_embeddings
            else fan_in(rngs, shape, axes, inputs=config.d_model)
        )
        self.compute_dtype = jnp.dtype(config.compute_dtype)

    def __call__(self, tokens: Int32[Array, "B T"]) -> Float[jax.Array, "B T D"]:
        """Looks tokens up. An id outside of [0, V) gives NaN, never another's row."""
        table = self.table[...]
        x = _looked_up(jnp.asarray(tokens), table, self.compute_dtype)
        known = (tokens >= 0) & (tokens < table.shape[0])
        return jnp.where(known[..., None], x, jnp.nan)

    def projection(self) -> Float32[jax.Array, "V D"]:
        """U, the table of the vocabulary projection."""
        return (self.table if self.output is None else self.output)[...]


def _looked_up(
    tokens: Int32[jax.Array, "B T"], table: Float32[jax.Array, "V D"], dtype: jnp.dtype
) -> Float[jax.Array, "B T D"]:
    """Rows of the table; what an id outside of it gives is anything.

    On a mesh each device looks up the ids of all devices that it shares the batch with
    in its own columns, and they exchange what they found: far less than the table.
    """

    def own_rows(tokens: jax.Array, part: jax.Array) -> jax.Array:
        for name in used("fsdp"):
            tokens = jax.lax.all_gather(tokens, name, tiled=True)
        for name in used("tensor"):  # the vocabulary is split
            tokens -= jax.lax.axis_index(name) * part.shape[0]
        x = part.at[tokens].get(mode="clip").astype(dtype)
        for name in used("tensor"):  # an id is known to one device
            here = (tokens >= 0) & (tokens < part.shape[0])
            x = jax.lax.psum(jnp.where(here[..., None], x, 0), name)
        for name in used("fsdp"):
            x = jax.lax.all_to_all(x, name, 0, 2, tiled=True)
        return x

    if not used(*MESH_AXES):
        return own_rows(tokens, table)
    return jax.shard_map(
        own_rows,
        in_specs=(used_spec(("batch", "slots")), used_spec(("vocab", "embed"))),
        out_specs=used_spec(("batch", "slots", None)),
    )(tokens, table)
