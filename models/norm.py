"""Root-mean-square normalisation."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Float

from .config import ModelConfig


class RMSNorm(nnx.Module):
    """`x / √(mean(x²) + ε) · scale` (Zhang and Sennrich 2019), computed in float32.

    The last norm of a model multiplies by a `gain` besides, which scales its logits.
    """

    def __init__(self, width: int, *, epsilon: float, gain: float = 1.0):
        self.scale = nnx.Param(jnp.ones(width, jnp.float32), axes=("scale",))
        self.epsilon = epsilon
        self.gain = gain

    def __call__(self, x: Float[jax.Array, "B T D"]) -> Float[jax.Array, "B T D"]:
        wide = x.astype(jnp.float32)
        square = jnp.mean(jnp.square(wide), axis=-1, keepdims=True)
        normed = wide * jax.lax.rsqrt(square + self.epsilon)
        scaled = normed * self.scale[...]
        if self.gain != 1.0:
            scaled = scaled * self.gain
        return scaled.astype(x.dtype)


def last_norm(config: ModelConfig) -> RMSNorm:
    """The norm before the vocabulary projection; with it, `scale_logits`."""
    gain = config.d_model**-0.5 if config.scale_logits else 1.0
    return RMSNorm(config.d_model, epsilon=config.norm_epsilon, gain=gain)
