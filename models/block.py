"""The pre-norm block that a decoder model and an encoder are stacks of."""

import functools

import jax
from flax import nnx
from jaxtyping import Float

from .config import ModelConfig
from .mlp import GatedMLP
from .norm import RMSNorm
from .projections import Attention, Sight
from .relative_bias import RelativeBias
from .rope import rotation
from .rows import Stream


class Block(nnx.Module):
    """`x += attention(norm(x)); x += mlp(norm(x))`."""

    def __init__(self, config: ModelConfig, rngs: nnx.Rngs):
        gain = (2 * config.layers) ** -0.5
        self.attention_norm = RMSNorm(config.d_model, epsilon=config.norm_epsilon)
        self.attention = Attention(config, rngs, residual_gain=gain)
        self.mlp_norm = RMSNorm(config.d_model, epsilon=config.norm_epsilon)
        self.mlp = GatedMLP(config, rngs, residual_gain=gain)

    def __call__(
        self, x: Float[jax.Array, "B T D"], sight: Sight
    ) -> Float[jax.Array, "B T D"]:
        normed = self.attention_norm(x)
        x = x + self.attention(normed, normed, sight)
        return x + self.mlp(self.mlp_norm(x))


def own_sight(stream: Stream, config: ModelConfig, bias: RelativeBias | None) -> Sight:
    """What the slots of a stream attend by within their own stream."""
    seen = Sight(stream.visible_from, stream.visible_to)
    if bias is not None:
        return seen._replace(bias=bias(stream.query_positions, stream.positions))
    turn = functools.partial(
        rotation, head_dim=config.head_dim, theta=config.rope_theta
    )
    return seen._replace(
        queries=turn(stream.query_positions),
        keys=turn(stream.positions),
    )
