"""Operations of a model's matrix products, by its dimensions and its rows."""

from .config import ModelConfig
from .rows import RowShape


def row_operations(
    config: ModelConfig, rows: RowShape, *, vocabulary_size: int
) -> float:
    """Operations of one forward pass over one row; a multiply-add is two.

    Attention counts all pairs of slots, those masked too (PaLM, Chowdhery et al. 2022,
    appendix B), and every capacity counts in full, filled or not: shapes are fixed. A
    training step takes three times as many for each row, backwards each product twice.

    Args:
      config: dimensions.
      rows: slots and predictions, of one stream or two.
      vocabulary_size: V; every prediction is projected to it.
    """
    slots, encoder = rows.decoder.slots, rows.encoder
    layer = _layer(config, slots)
    predictions = rows.decoder.predictions
    if encoder is not None:
        layer += _layer(config, encoder.slots)
        layer += _attention(config, slots, encoder.slots)
        predictions += encoder.predictions
    head = 2.0 * config.d_model * vocabulary_size * predictions
    return config.layers * layer + head


def _layer(config: ModelConfig, slots: int) -> float:
    """Self-attention and MLP of one layer."""
    matrices = 3 if config.gated else 2
    mlp = 2.0 * matrices * config.d_model * config.d_hidden * slots
    return _attention(config, slots, slots) + mlp


def _attention(config: ModelConfig, queries: int, keys: int) -> float:
    """Projections of queries, keys, values and outputs; scores, and their sums."""
    own = 2 * config.heads * queries + 2 * config.kv_heads * keys
    projections = 2.0 * config.d_model * config.head_dim * own
    return projections + 4.0 * config.heads * config.head_dim * queries * keys
