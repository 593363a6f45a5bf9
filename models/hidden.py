"""What a model returns."""

from typing import NamedTuple

import jax
from jaxtyping import Float


class Hidden(NamedTuple):
    """Hidden states of every slot, after the final norm, in the compute dtype.

    Attributes:
      decoder: of the decoder stream.
      encoder: of the encoder stream; None for a decoder model.
    """

    decoder: Float[jax.Array, "B T D"]
    encoder: Float[jax.Array, "B S D"] | None = None
