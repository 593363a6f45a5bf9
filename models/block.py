"""The pre-norm block that a decoder model and an encoder are stacks of."""

from collections.abc import Callable
from typing import TypeVar

import jax
from flax import nnx
from jaxtyping import Float, Int32

from .attention import shared_bias
from .config import ModelConfig
from .mlp import MLP
from .norm import RMSNorm
from .projections import Attention, KeysValues, Sight
from .relative_bias import Direction, RelativeBias
from .rope import rotation
from .rows import Array, Stream

Kept = TypeVar("Kept")
Remember = Callable[[KeysValues], tuple[KeysValues, Kept]]
"""Of the keys and values of a layer's slots: what to attend to, and what to keep."""


def itself(own: KeysValues) -> tuple[KeysValues, KeysValues]:
    """Slots attend among themselves, and their keys and values are kept."""
    return own, own


class Block(nnx.Module):
    """`x += attention(norm(x)); x += mlp(norm(x))`."""

    def __init__(self, config: ModelConfig, rngs: nnx.Rngs):
        self.bias = layer_bias(config, rngs, direction="both")
        gain = (2 * config.layers) ** -0.5
        self.attention_norm = RMSNorm(config.d_model, epsilon=config.norm_epsilon)
        self.attention = Attention(config, rngs, residual_gain=gain)
        self.mlp_norm = RMSNorm(config.d_model, epsilon=config.norm_epsilon)
        self.mlp = MLP(config, rngs, residual_gain=gain)

    def __call__(
        self, x: Float[jax.Array, "B T D"], sight: Sight
    ) -> Float[jax.Array, "B T D"]:
        return self.extend(x, sight, itself)[0]

    def extend(
        self, x: Float[jax.Array, "B T D"], sight: Sight, remember: Remember[Kept]
    ) -> tuple[Float[jax.Array, "B T D"], Kept]:
        """The block on slots that attend to what `remember` makes of their own keys."""
        sight = with_bias(sight, self.bias)
        normed = self.attention_norm(x)
        seen, kept = remember(self.attention.keys_values(normed, sight.keys))
        x = x + self.attention.attend(normed, seen, sight)
        return x + self.mlp(self.mlp_norm(x)), kept


def stack_bias(
    config: ModelConfig, rngs: nnx.Rngs, *, direction: Direction
) -> RelativeBias | None:
    """The bias that the layers of a stack share, if they do."""
    if config.position != "relative_bias" or config.relative_per_layer:
        return None
    return RelativeBias(config, rngs, direction=direction)


def layer_bias(
    config: ModelConfig, rngs: nnx.Rngs, *, direction: Direction
) -> RelativeBias | None:
    """The bias of a layer of its own, if it has one."""
    if config.position != "relative_bias" or not config.relative_per_layer:
        return None
    return RelativeBias(config, rngs, direction=direction)


def with_bias(sight: Sight, bias: RelativeBias | None) -> Sight:
    """What a layer attends by: with the bias of its own table, if it has one."""
    if bias is None or sight.positions is None:
        return sight
    return sight._replace(bias=bias(*sight.positions))


def own_sight(
    stream: Stream,
    config: ModelConfig,
    bias: RelativeBias | None,
    *,
    among: Int32[Array, "B S"] | None = None,
) -> Sight:
    """What the slots of a stream attend by within their own stream.

    Args:
      stream: the slots that ask.
      config: of the model.
      bias: of the stack; None where positions rotate, or each layer has its own.
      among: positions of all slots that can be seen, if those are more than the
        stream's own.
    """
    seen = Sight(stream.visible_from, stream.visible_to)
    if config.position == "relative_bias":
        standing = stream.positions if among is None else among
        positions = stream.query_positions, standing
        if bias is None:
            return seen._replace(positions=positions)
        return seen._replace(bias=shared_bias(bias(*positions)))
    return seen._replace(
        queries=rotation(stream.query_positions, config),
        keys=rotation(stream.positions, config),
    )
