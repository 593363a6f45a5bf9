"""The gated MLP."""

import functools

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Float

from .axes import constrain
from .config import ModelConfig
from .initialisers import fan_in

_ACTIVATIONS = {
    "silu": jax.nn.silu,
    "gelu": functools.partial(jax.nn.gelu, approximate=True),
}


class GatedMLP(nnx.Module):
    """`(act(x W_gate) ⊙ x W_up) W_down` (Shazeer 2020), without biases."""

    def __init__(self, config: ModelConfig, rngs: nnx.Rngs, *, residual_gain: float):
        width, hidden = config.d_model, config.d_hidden
        into, out = ("embed", "hidden"), ("hidden", "embed")
        self.gate = fan_in(rngs, (width, hidden), into, inputs=width)
        self.up = fan_in(rngs, (width, hidden), into, inputs=width)
        self.down = fan_in(
            rngs, (hidden, width), out, inputs=hidden, gain=residual_gain
        )
        self.activation = config.activation

    def __call__(self, x: Float[jax.Array, "B T D"]) -> Float[jax.Array, "B T D"]:
        gate = x @ self.gate[...].astype(x.dtype)  # [B T D] -> [B T F]
        up = x @ self.up[...].astype(x.dtype)
        hidden = _ACTIVATIONS[self.activation](gate) * up
        hidden = constrain(hidden, "batch", "slots", "hidden")
        return jnp.asarray(hidden @ self.down[...].astype(x.dtype))
