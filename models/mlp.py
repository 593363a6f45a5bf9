"""The MLP, gated or not."""

import functools

import jax
from flax import nnx
from jax.ad_checkpoint import checkpoint_name
from jaxtyping import Float

from .axes import constrain
from .config import ModelConfig
from .initialisers import fan_in
from .linear import project

_ACTIVATIONS = {
    "silu": jax.nn.silu,
    "gelu": functools.partial(jax.nn.gelu, approximate=True),
    "relu": jax.nn.relu,
}


class MLP(nnx.Module):
    """`(act(x W_gate) ⊙ x W_up) W_down` (Shazeer 2020), without biases.

    Without a gate, `act(x W_up) W_down` (Raffel et al. 2020, section 2.1).
    """

    def __init__(self, config: ModelConfig, rngs: nnx.Rngs, *, residual_gain: float):
        width, hidden = config.d_model, config.d_hidden
        into, out = ("embed", "hidden"), ("hidden", "embed")
        self.gate = (
            fan_in(rngs, (width, hidden), into, inputs=width) if config.gated else None
        )
        self.up = fan_in(rngs, (width, hidden), into, inputs=width)
        self.down = fan_in(
            rngs, (hidden, width), out, inputs=hidden, gain=residual_gain
        )
        self.activation = config.activation

    def __call__(self, x: Float[jax.Array, "B T D"]) -> Float[jax.Array, "B T D"]:
        act = _ACTIVATIONS[self.activation]
        if self.gate is None:
            hidden = act(checkpoint_name(project(x, self.up), "mlp"))
        else:
            gate = checkpoint_name(project(x, self.gate), "mlp")  # [B T D] -> [B T F]
            hidden = act(gate) * checkpoint_name(project(x, self.up), "mlp")
        hidden = constrain(hidden, "batch", "slots", "hidden")
        return project(hidden, self.down)
