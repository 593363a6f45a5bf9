"""An encoder–decoder made of a decoder's parameters: both towers from the same weights.

T5Gemma (Zhang et al. 2025, arXiv 2504.06225): a decoder that is trained already and
adapted for a part of its cost is a better encoder–decoder than one from scratch.

What a decoder lacks is cross-attention, and it begins as a copy of self-attention, as
there (section 3, towers of one size). Measured on the quickstart's decoder and mixture,
one seed, mean loss of steps 1–20, 21–40 and 101–120: 3.38, 2.43, 2.37 nats as a copy;
3.85, 2.57, 2.44 with a fresh one whose output is zero, which leaves the decoder's
function as it was; 4.73, 3.23, 2.75 with all from scratch. Zero was ahead of a copy,
for the first 70 steps, with a decoder of 400 steps alone.
"""

from typing import Any

from flax import nnx
from jaxtyping import PyTree

from ..objectives.errors import UsageError
from .config import ModelConfig

RULE = (
    "both towers get its layers and its final norm, and cross-attention begins as a "
    "copy of the self-attention of its layer, with its norm"
)
"""What `from_decoder` does, for a log."""


def from_decoder(decoder: PyTree, fresh: PyTree) -> PyTree:
    """The parameters of an encoder–decoder, from those of a decoder of its config.

    By `RULE`; embedding and output table are the decoder's. On its inputs the encoder
    computes what the decoder does, and so does the decoder where it sees no input.

    Args:
      decoder: parameters of a `Decoder`.
      fresh: parameters of an `EncoderDecoder`, for their names and axes; their values
        are not used.
    """
    given = dict(nnx.to_flat_state(decoder))
    return nnx.from_flat_state(
        (path, parameter.replace(given[_source(path)].get_value()))
        for path, parameter in nnx.to_flat_state(fresh)
    )


def _source(path: tuple[Any, ...]) -> tuple[Any, ...]:
    """Where a parameter of an encoder–decoder stands in a decoder."""
    match path:
        case ("decoder_layers", "cross", *rest):
            return ("layers", "attention", *rest)
        case ("decoder_layers", "cross_norm", *rest):
            return ("layers", "attention_norm", *rest)
        case ("encoder_layers" | "decoder_layers", *rest):
            return ("layers", *rest)
        case ("encoder_norm" | "decoder_norm", *rest):
            return ("norm", *rest)
    return path


def check_towers(config: ModelConfig) -> None:
    """Refuses a config whose decoder's parameters do not make an encoder–decoder.

    Raises:
      UsageError: positions are T5's buckets.
    """
    if config.position == "relative_bias":
        raise UsageError(
            "ModelConfig.position is 'relative_bias', with which a decoder makes no "
            "encoder–decoder: its buckets look both ways, those of an "
            "encoder–decoder's decoder look at the past only and have twice as many "
            "for it, and cross-attention has none. Start from a decoder with 'rope', "
            "or train from scratch."
        )
