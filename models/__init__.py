"""Models: a decoder and an encoder–decoder that read rows. JAX and Flax NNX.

What `__all__` names is public (docs/api.md).
"""

from typing import TYPE_CHECKING

from ..objectives.public import lazy

if TYPE_CHECKING:
    from .attention import interval_attention
    from .config import ModelConfig
    from .loss import mixture_loss, objective_sums
    from .rows import (
        Batch,
        Memory,
        RowShape,
        Stream,
        decoder_rows,
        encoder_decoder_rows,
    )

_MODULES = {
    "Batch": "rows",
    "Memory": "rows",
    "ModelConfig": "config",
    "RowShape": "rows",
    "Stream": "rows",
    "decoder_rows": "rows",
    "encoder_decoder_rows": "rows",
    "interval_attention": "attention",
    "mixture_loss": "loss",
    "objective_sums": "loss",
}

__all__ = [
    "Batch",
    "Memory",
    "ModelConfig",
    "RowShape",
    "Stream",
    "decoder_rows",
    "encoder_decoder_rows",
    "interval_attention",
    "mixture_loss",
    "objective_sums",
]

__getattr__ = lazy(__name__, _MODULES)
