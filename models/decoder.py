"""The decoder model: one stream, one stack (a Llama where positions are RoPE)."""

import jax
from flax import nnx
from jaxtyping import Float32

from .block import Block, own_sight
from .config import ModelConfig
from .embedding import Embedding
from .hidden import Hidden
from .norm import RMSNorm
from .relative_bias import RelativeBias
from .rows import Batch
from .stack import scan_layers, stacked


class Decoder(nnx.Module):
    """A stack of blocks over the only stream of a batch.

    What a slot sees is the batch's matter alone, so the same model is causal,
    bidirectional or both within a row. With "relative_bias" its buckets look both
    ways, because blocks do.
    """

    def __init__(self, config: ModelConfig, rngs: nnx.Rngs, *, vocabulary_size: int):
        self.config = config
        self.embedding = Embedding(config, rngs, vocabulary_size=vocabulary_size)
        self.bias = (
            RelativeBias(config, rngs, direction="both")
            if config.position == "relative_bias"
            else None
        )
        self.layers = stacked(lambda r: Block(config, r), config.layers, rngs)
        self.norm = RMSNorm(config.d_model, epsilon=config.norm_epsilon)

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

    def projection(self) -> Float32[jax.Array, "V D"]:
        """The table of the vocabulary projection."""
        return self.embedding.projection()
