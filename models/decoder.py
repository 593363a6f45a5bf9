"""The decoder model: one stream, one stack (a Llama where positions are RoPE)."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Float, Float32, Int32

from .block import Block, itself, own_sight, stack_bias
from .cache import Cache, slots_of_each, writing
from .config import ModelConfig
from .embedding import Embedding
from .hidden import Hidden
from .norm import last_norm
from .rows import Batch
from .stack import scan_layers, scan_stateful, stacked


class Decoder(nnx.Module):
    """A stack of blocks over the only stream of a batch.

    What a slot sees is the batch's matter alone, so the same model is causal,
    bidirectional or both within a row. With "relative_bias" its buckets look both
    ways, because blocks do.
    """

    def __init__(self, config: ModelConfig, rngs: nnx.Rngs, *, vocabulary_size: int):
        self.config = config
        self.embedding = Embedding(config, rngs, vocabulary_size=vocabulary_size)
        self.bias = stack_bias(config, rngs, direction="both")
        self.layers = stacked(lambda r: Block(config, r), config.layers, rngs)
        self.norm = last_norm(config)

    def __call__(self, batch: Batch) -> Hidden:
        """Hidden states of every slot."""
        stream = batch.decoder
        sight = own_sight(stream, self.config, self.bias)
        x = scan_layers(
            self.layers,
            self.embedding(stream.tokens),
            lambda layer, x: layer(x, sight),
            remat=self.config.remat,
            unroll=self.config.unroll,
        )
        return Hidden(self.norm(x))

    def prefill(self, batch: Batch) -> Cache:
        """Keys and values of every slot, in one pass; nothing is made of the rest."""
        stream = batch.decoder
        sight = own_sight(stream, self.config, self.bias)

        def apply(layer: Block, x: jax.Array, state: None, _: None):
            x, own = layer.extend(x, sight, itself)
            return x, state, own

        own = scan_stateful(
            self.layers,
            self.embedding(stream.tokens),
            apply,
            state=None,
            parts=None,
            remat="none",
            unroll=self.config.unroll,
        )[2]
        return Cache(own)

    def step(
        self,
        batch: Batch,
        cache: Cache,
        *,
        slots: Int32[jax.Array, "B n"],
        tokens: Int32[jax.Array, "B n"],
    ) -> tuple[Float[jax.Array, "B n D"], Cache]:
        """Hidden states of n slots a row, and the cache with those slots written.

        Costs O(n S) a row: the slots' own products and one look of each at the keys
        and values, their own among them.

        Args:
          batch: the rows; their tokens are not read.
          cache: with every other slot that these see.
          slots: n different ones of each row. Of one at T or beyond nothing is
            written, and its hidden state means nothing.
          tokens: that they hold.
        """
        some = slots_of_each(batch, slots).decoder
        sight = own_sight(some, self.config, self.bias, among=batch.decoder.positions)

        def apply(layer: Block, x: jax.Array, own, number: jax.Array):
            return *layer.extend(x, sight, writing(own, number, slots)), None

        x, own, _ = scan_stateful(
            self.layers,
            self.embedding(tokens),
            apply,
            state=cache.own,
            parts=jnp.arange(self.config.layers),
            remat="none",
            unroll=self.config.unroll,
        )
        return self.norm(x), Cache(own)

    def projection(self) -> Float32[jax.Array, "V D"]:
        """The table of the vocabulary projection."""
        return self.embedding.projection()
