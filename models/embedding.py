"""Token embedding in, vocabulary projection out."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Float, Float32, Int32

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
        # As unsigned, a negative id is too large as well, and does not wrap around.
        table = self.table[...].astype(self.compute_dtype)
        return table.at[tokens.astype(jnp.uint32)].get(mode="fill", fill_value=jnp.nan)

    def projection(self) -> Float32[jax.Array, "V D"]:
        """U, the table of the vocabulary projection."""
        return (self.table if self.output is None else self.output)[...]
