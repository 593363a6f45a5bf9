"""The dimensions and choices of a model; one class for both architectures."""

import dataclasses
from typing import Literal


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """What a model is made of. The rows it reads choose the architecture.

    Attributes:
      layers: L, in each stack (an encoder–decoder has L encoder and L decoder layers).
      d_model: D.
      heads: H, query heads.
      kv_heads: key and value heads; must divide `heads` (grouped-query attention).
      head_dim: K.
      d_hidden: F, hidden width of the gated MLP.
      activation: of the MLP's gate: "silu" (Llama) or "gelu" (T5 v1.1).
      position: "rope", or "relative_bias" (T5's buckets; none on cross-attention).
      rope_theta: base of the RoPE frequencies.
      tie_embeddings: whether the output projection is the embedding table.
      compute_dtype: of activations and matmuls; parameters are always float32.
      remat: what the backward pass recomputes: "none" keeps everything, "dots" keeps
        matmul outputs, "full" keeps only each layer's input.
      loss_chunk: predictions a row whose logits exist at one time; None is all of P.
      z_loss: weight of log² Z in the loss (PaLM §5 uses 1e-4).
    """

    layers: int
    d_model: int
    heads: int
    kv_heads: int
    head_dim: int
    d_hidden: int
    activation: Literal["silu", "gelu"] = "silu"
    position: Literal["rope", "relative_bias"] = "rope"
    rope_theta: float = 10_000.0
    tie_embeddings: bool = True
    compute_dtype: Literal["bfloat16", "float32"] = "bfloat16"
    remat: Literal["none", "dots", "full"] = "none"
    loss_chunk: int | None = None
    z_loss: float = 1e-4
