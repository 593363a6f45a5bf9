"""The encoder–decoder: two streams, two stacks (a T5 v1.1 with relative bias)."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Float, Float32, Int32

from ..objectives.errors import UsageError
from .block import (
    Block,
    Kept,
    Remember,
    itself,
    layer_bias,
    own_sight,
    stack_bias,
    with_bias,
)
from .cache import Cache, slots_of_each, writing
from .config import ModelConfig
from .embedding import Embedding
from .hidden import Hidden
from .mlp import MLP
from .norm import RMSNorm, last_norm
from .projections import Attention, KeysValues, Sight
from .rope import rotation
from .rows import Batch
from .stack import scan_layers, scan_stateful, stacked


class CrossBlock(nnx.Module):
    """A block with cross-attention between self-attention and the MLP."""

    def __init__(self, config: ModelConfig, rngs: nnx.Rngs):
        gain = (3 * config.layers) ** -0.5
        self.bias = layer_bias(config, rngs, direction="past")
        self.attention_norm = RMSNorm(config.d_model, epsilon=config.norm_epsilon)
        self.attention = Attention(config, rngs, residual_gain=gain)
        self.cross_norm = RMSNorm(config.d_model, epsilon=config.norm_epsilon)
        self.cross = Attention(config, rngs, residual_gain=gain)
        self.mlp_norm = RMSNorm(config.d_model, epsilon=config.norm_epsilon)
        self.mlp = MLP(config, rngs, residual_gain=gain)

    def __call__(
        self,
        x: Float[jax.Array, "B T D"],
        memory: Float[jax.Array, "B S D"],
        sight: Sight,
        memory_sight: Sight,
    ) -> Float[jax.Array, "B T D"]:
        seen = self.cross.keys_values(memory, memory_sight.keys)
        return self.extend(x, seen, sight, memory_sight, itself)[0]

    def extend(
        self,
        x: Float[jax.Array, "B T D"],
        memory: KeysValues,
        sight: Sight,
        memory_sight: Sight,
        remember: Remember[Kept],
    ) -> tuple[Float[jax.Array, "B T D"], Kept]:
        """The block on slots that attend to what `remember` makes of their own keys."""
        sight = with_bias(sight, self.bias)
        normed = self.attention_norm(x)
        seen, kept = remember(self.attention.keys_values(normed, sight.keys))
        x = x + self.attention.attend(normed, seen, sight)
        x = x + self.cross.attend(self.cross_norm(x), memory, memory_sight)
        return x + self.mlp(self.mlp_norm(x)), kept


class EncoderDecoder(nnx.Module):
    """An encoder stack over one stream, a decoder stack that also sees the encoder.

    With RoPE, cross-attention rotates as well: the two streams share their positions,
    so a target knows where it stands among the inputs. With "relative_bias" the model
    is T5 v1.1: cross-attention has no positions, and the decoder's buckets look at
    the past only, so a permuted target cannot tell on which side its inputs stand.
    """

    def __init__(self, config: ModelConfig, rngs: nnx.Rngs, *, vocabulary_size: int):
        self.config = config
        self.embedding = Embedding(config, rngs, vocabulary_size=vocabulary_size)
        self.encoder_bias = stack_bias(config, rngs, direction="both")
        self.decoder_bias = stack_bias(config, rngs, direction="past")
        self.encoder_layers = stacked(lambda r: Block(config, r), config.layers, rngs)
        self.encoder_norm = RMSNorm(config.d_model, epsilon=config.norm_epsilon)
        self.decoder_layers = stacked(
            lambda r: CrossBlock(config, r), config.layers, rngs
        )
        self.decoder_norm = last_norm(config)

    def __call__(self, batch: Batch) -> Hidden:
        """Hidden states of every slot of both streams.

        Raises:
          ValueError: the batch has no encoder stream.
        """
        memory = self.encode(batch)
        stream = batch.decoder
        sight = own_sight(stream, self.config, self.decoder_bias)
        memory_sight = _memory_sight(batch, self.config)
        x = scan_layers(
            self.decoder_layers,
            self.embedding(stream.tokens),
            lambda layer, x: layer(x, memory, sight, memory_sight),
            remat=self.config.remat,
            unroll=self.config.unroll,
        )
        return Hidden(self.decoder_norm(x), memory)

    def encode(self, batch: Batch) -> Float[jax.Array, "B S D"]:
        """Hidden states of the encoder stream alone."""
        stream = batch.encoder
        if stream is None:
            raise UsageError(
                "an encoder–decoder got a batch without an encoder stream; pack its "
                "rows with rows.encoder_decoder_rows."
            )
        sight = own_sight(stream, self.config, self.encoder_bias)
        x = scan_layers(
            self.encoder_layers,
            self.embedding(stream.tokens),
            lambda layer, x: layer(x, sight),
            remat=self.config.remat,
            unroll=self.config.unroll,
        )
        return self.encoder_norm(x)

    def prefill(self, batch: Batch) -> Cache:
        """Keys and values of every slot of both streams, in one pass.

        Raises:
          ValueError: the batch has no encoder stream.
        """
        memory = self.encode(batch)
        sight = own_sight(batch.decoder, self.config, self.decoder_bias)
        memory_sight = _memory_sight(batch, self.config)

        def apply(layer: CrossBlock, x: jax.Array, state: None, _: None):
            seen = layer.cross.keys_values(memory, memory_sight.keys)
            x, own = layer.extend(x, seen, sight, memory_sight, itself)
            return x, state, (own, seen)

        made = scan_stateful(
            self.decoder_layers,
            self.embedding(batch.decoder.tokens),
            apply,
            state=None,
            parts=None,
            remat="none",
            unroll=self.config.unroll,
        )[2]
        return Cache(*made)

    def step(
        self,
        batch: Batch,
        cache: Cache,
        *,
        slots: Int32[jax.Array, "B n"],
        tokens: Int32[jax.Array, "B n"],
    ) -> tuple[Float[jax.Array, "B n D"], Cache]:
        """As `Decoder.step`, on the decoder's slots; the encoder is not run again."""
        some = slots_of_each(batch, slots)
        among = batch.decoder.positions
        sight = own_sight(some.decoder, self.config, self.decoder_bias, among=among)
        memory_sight = _memory_sight(some, self.config)

        def apply(layer: CrossBlock, x: jax.Array, own, part: tuple):
            remember = writing(own, part[0], slots)
            return *layer.extend(x, part[1], sight, memory_sight, remember), None

        x, own, _ = scan_stateful(
            self.decoder_layers,
            self.embedding(tokens),
            apply,
            state=cache.own,
            parts=(jnp.arange(self.config.layers), cache.memory),
            remat="none",
            unroll=self.config.unroll,
        )
        return self.decoder_norm(x), Cache(own, cache.memory)

    def projection(self) -> Float32[jax.Array, "V D"]:
        """The table of the vocabulary projection."""
        return self.embedding.projection()


def _memory_sight(batch: Batch, config: ModelConfig) -> Sight:
    """What the decoder's slots attend to the encoder by."""
    assert batch.encoder is not None
    if batch.memory is None:
        raise UsageError("an encoder–decoder got a batch without `memory` intervals.")
    seen = Sight(batch.memory.memory_from, batch.memory.memory_to)
    if config.position == "relative_bias":
        return seen
    return seen._replace(
        queries=rotation(batch.decoder.query_positions, config),
        keys=rotation(batch.encoder.positions, config),
    )
