"""Multi-head attention: the projections around `interval_attention`."""

from typing import NamedTuple

import jax
from flax import nnx
from jax.ad_checkpoint import checkpoint_name
from jaxtyping import Float, Float32, Int32

from .attention import DistanceBias, interval_attention
from .axes import constrain
from .config import ModelConfig
from .initialisers import fan_in
from .linear import project
from .rope import Rotation, rotate
from .rows import Array


class Sight(NamedTuple):
    """What every layer of a stack attends by; made once for all of them.

    Attributes:
      visible_from: first key slot that each slot sees.
      visible_to: one past the last.
      queries: rotation of the queries; None where positions do not rotate.
      keys: rotation of the keys, likewise.
      bias: relative position bias, or None.
      positions: of queries and of keys, of which a layer with a table of its own makes
        its bias; or None.
    """

    visible_from: Int32[Array, "B T"]
    visible_to: Int32[Array, "B T"]
    queries: Rotation | None = None
    keys: Rotation | None = None
    bias: DistanceBias | Float32[jax.Array, "B H T S"] | None = None
    positions: tuple[Int32[Array, "B T"], Int32[Array, "B S"]] | None = None


class KeysValues(NamedTuple):
    """What slots are attended to by: rotated keys, and values, of G groups."""

    keys: Float[jax.Array, "B S G K"]
    values: Float[jax.Array, "B S G K"]


class Attention(nnx.Module):
    """Grouped-query attention of one stream to itself or to another, no biases."""

    def __init__(self, config: ModelConfig, rngs: nnx.Rngs, *, residual_gain: float):
        width, heads, kv = config.d_model, config.heads, config.kv_heads
        head = config.head_dim
        rotates = config.position == "rope"
        self.query = fan_in(
            rngs,
            (width, heads, head),
            ("embed", "heads", "head"),
            inputs=width,
            gain=1.0 if rotates else head**-0.5,
        )
        into = ("embed", "kv", "head")
        self.key = fan_in(rngs, (width, kv, head), into, inputs=width)
        self.value = fan_in(rngs, (width, kv, head), into, inputs=width)
        self.out = fan_in(
            rngs,
            (heads, head, width),
            ("heads", "head", "embed"),
            inputs=heads * head,
            gain=residual_gain,
        )

    def __call__(
        self,
        x: Float[jax.Array, "B T D"],
        memory: Float[jax.Array, "B S D"],
        sight: Sight,
    ) -> Float[jax.Array, "B T D"]:
        """Attends from `x` to `memory`, which is `x` itself in self-attention."""
        return self.attend(x, self.keys_values(memory, sight.keys), sight)

    def keys_values(
        self, memory: Float[jax.Array, "B S D"], turn: Rotation | None
    ) -> KeysValues:
        """The keys and values of `memory`; keys are rotated by `turn`, if any."""
        k = project(memory, self.key)  # [B S D] -> [B S G K]
        v = project(memory, self.value)
        if turn is not None:
            k = rotate(k, turn)
        # Any slot may see any other, so keys and values are whole on every device.
        k = constrain(k, "batch", None, "kv", None)
        v = constrain(v, "batch", None, "kv", None)
        return KeysValues(checkpoint_name(k, "qkv"), checkpoint_name(v, "qkv"))

    def attend(
        self, x: Float[jax.Array, "B T D"], memory: KeysValues, sight: Sight
    ) -> Float[jax.Array, "B T D"]:
        """Attends from `x` to keys and values that are made; `sight.keys` is unused."""
        q = project(x, self.query)  # [B T D] -> [B T H K]
        if sight.queries is not None:
            q = rotate(q, sight.queries, scale=q.shape[-1] ** -0.5)
        q = checkpoint_name(constrain(q, "batch", "slots", "heads", None), "qkv")
        interval = (sight.visible_from, sight.visible_to)
        mixed = interval_attention(q, *memory, *interval, bias=sight.bias)
        return checkpoint_name(project(mixed, self.out), "out")  # [B T H K] -> [B T D]
