"""Builds the model that a kind of rows calls for."""

from flax import nnx

from .config import ModelConfig
from .decoder import Decoder
from .encoder_decoder import EncoderDecoder
from .rows import RowShape

Model = Decoder | EncoderDecoder


def build(
    config: ModelConfig, *, vocabulary_size: int, shape: RowShape, rngs: nnx.Rngs
) -> Model:
    """A decoder for rows of one stream, an encoder–decoder for rows of two.

    Under `nnx.eval_shape` it allocates nothing.

    Args:
      config: dimensions.
      vocabulary_size: V. Token ids must be in [0, V): others give NaN losses.
      shape: of the rows, which chooses the architecture.
      rngs: with a `params` stream; the same seed gives the same parameters on any
        mesh.
    """
    architecture = Decoder if shape.encoder is None else EncoderDecoder
    return architecture(config, rngs, vocabulary_size=vocabulary_size)
