"""Root-mean-square normalisation."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Float


class RMSNorm(nnx.Module):
    """`x / √(mean(x²) + ε) · scale` (Zhang and Sennrich 2019), computed in float32."""

    def __init__(self, width: int, *, epsilon: float):
        self.scale = nnx.Param(jnp.ones(width, jnp.float32), axes=("scale",))
        self.epsilon = epsilon

    def __call__(self, x: Float[jax.Array, "B T D"]) -> Float[jax.Array, "B T D"]:
        wide = x.astype(jnp.float32)
        square = jnp.mean(jnp.square(wide), axis=-1, keepdims=True)
        normed = wide * jax.lax.rsqrt(square + self.epsilon)
        return (normed * self.scale[...]).astype(x.dtype)
