"""The dimensions and choices of a model; one class for both architectures."""

import dataclasses
import typing
from typing import Literal

from ..objectives.errors import (
    UsageError,
    nearest,
    require_acting,
    require_count,
    require_flag,
    require_number,
)

_ACTS_WITH = {
    "rope_theta": 'ModelConfig.position="rope"',
    "rope_factor": 'ModelConfig.position="rope"',
    "rope_low_frequency_factor": "ModelConfig.rope_factor above 1",
    "rope_high_frequency_factor": "ModelConfig.rope_factor above 1",
    "rope_original_context": "ModelConfig.rope_factor above 1",
    "relative_buckets": 'ModelConfig.position="relative_bias"',
    "relative_max_distance": 'ModelConfig.position="relative_bias"',
    "relative_per_layer": 'ModelConfig.position="relative_bias"',
}
"""The settings that not every model reads, and with what they are read."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """What a model is made of. The rows it reads choose the architecture.

    A setting that the choice of `position`, or a `rope_factor` of 1, leaves unread has
    to stay at its default.

    Attributes:
      layers: L, in each stack (an encoder–decoder has L encoder and L decoder layers).
      d_model: D.
      heads: H, query heads.
      kv_heads: key and value heads; must divide `heads` (grouped-query attention).
      head_dim: K.
      d_hidden: F, hidden width of the MLP.
      activation: of the MLP's gate: "silu" (Llama), "gelu" (T5 v1.1) or "relu".
      gated: whether the MLP has a gate (`mlp.MLP`); the original T5 has none.
      position: "rope", or "relative_bias" (T5's buckets; none on cross-attention).
        The decoder of an encoder–decoder with "relative_bias" is T5's and tells keys
        that stand after the query apart from none: take "rope" where targets are
        permuted.
      rope_theta: base of the RoPE frequencies.
      rope_factor: by which Llama 3 lowers the slow frequencies, for contexts longer
        than it was pre-trained on (`rope.frequencies`); 1 leaves all as they are.
      rope_low_frequency_factor: turns that a frequency makes in the original context,
        at or below which it is divided by `rope_factor`.
      rope_high_frequency_factor: likewise, at or above which it is left as it is.
      rope_original_context: slots of that context.
      relative_buckets: of "relative_bias", per stack.
      relative_max_distance: from which on all distances share a bucket.
      relative_per_layer: whether each layer has a table of its own (uMT5, Chung et al.
        2023), rather than each stack (T5).
      norm_epsilon: added to the mean square in every norm.
      tie_embeddings: whether the output projection is the embedding table.
      scale_logits: whether logits are multiplied by 1/√D, as the original T5 does with
        its tied table (mesh-tensorflow; Raffel et al. 2020).
      compute_dtype: of activations and matmuls; parameters are always float32.
      remat: what the backward pass finds of a layer, and does not compute again:
        "full" recomputes all but the layer's input; "qkv" keeps queries, keys and
        values besides; "attention" also the output of attention; "mlp" also what every
        other matrix product but the last makes. "none" keeps everything.
      unroll: layers that one step of the scan over layers computes. More compile
        longer and may copy less; measure before raising it.
      loss_chunk: predictions a row whose logits exist at one time; None is all of P.
      z_loss: weight of log² Z in the loss (PaLM §5 uses 1e-4).

    Raises:
      ValueError: a number is not finite or out of range, `kv_heads` does not divide
        `heads`, a head that rotates is odd, a choice is none of those listed, or a
        setting is given that would not be read.
    """

    layers: int
    d_model: int
    heads: int
    kv_heads: int
    head_dim: int
    d_hidden: int
    activation: Literal["silu", "gelu", "relu"] = "silu"
    gated: bool = True
    position: Literal["rope", "relative_bias"] = "rope"
    rope_theta: float = 10_000.0
    rope_factor: float = 1.0
    rope_low_frequency_factor: float = 1.0
    rope_high_frequency_factor: float = 4.0
    rope_original_context: int = 8192
    relative_buckets: int = 32
    relative_max_distance: int = 128
    relative_per_layer: bool = False
    norm_epsilon: float = 1e-6
    tie_embeddings: bool = True
    scale_logits: bool = False
    compute_dtype: Literal["bfloat16", "float32"] = "bfloat16"
    remat: Literal["none", "mlp", "attention", "qkv", "full"] = "none"
    unroll: int = 1
    loss_chunk: int | None = None
    z_loss: float = 1e-4

    def __post_init__(self) -> None:
        if self.remat == "dots":
            raise UsageError(
                'ModelConfig.remat="dots" was removed: it used 3.5 times the memory of '
                '"full" and was no faster. Use "mlp", which keeps the same matrix '
                'products, or "attention", which keeps fewer.'
            )
        for field, hint in typing.get_type_hints(type(self)).items():
            value, choices = getattr(self, field), typing.get_args(hint)
            if typing.get_origin(hint) is Literal and value not in choices:
                raise UsageError(
                    f"ModelConfig.{field} is {value!r}; {nearest(str(value), choices)}"
                )
            if int in (hint, *choices) and value is not None:
                require_count(f"ModelConfig.{field}", value)
            if hint is bool:
                require_flag(f"ModelConfig.{field}", value)
        self._check_that_all_act()
        require_number("ModelConfig.rope_theta", self.rope_theta, above=0.0)
        self._check_rope_scaling()
        require_number("ModelConfig.norm_epsilon", self.norm_epsilon, above=0.0)
        require_number("ModelConfig.z_loss", self.z_loss, least=0.0)
        if self.heads % self.kv_heads:
            raise UsageError(
                f"ModelConfig.kv_heads={self.kv_heads} does not divide "
                f"heads={self.heads}; take one of "
                f"{[n for n in range(1, self.heads + 1) if self.heads % n == 0]}."
            )
        if self.position == "relative_bias":
            # Half of the buckets hold one distance each; the others lie beyond them.
            require_count(
                "ModelConfig.relative_buckets", self.relative_buckets, least=4
            )
            require_count(
                "ModelConfig.relative_max_distance",
                self.relative_max_distance,
                least=self.relative_buckets // 2 + 1,
                most=2**20,
            )
        if self.position == "rope" and self.head_dim % 2:
            raise UsageError(
                f"ModelConfig.head_dim={self.head_dim} is odd; RoPE turns pairs, so "
                f"take {self.head_dim + 1}."
            )

    def _check_that_all_act(self) -> None:
        acting = {
            'ModelConfig.position="rope"': self.position == "rope",
            "ModelConfig.rope_factor above 1": self.rope_factor != 1.0,
            'ModelConfig.position="relative_bias"': self.position == "relative_bias",
        }
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        for name, with_ in _ACTS_WITH.items():
            require_acting(
                f"ModelConfig.{name}",
                getattr(self, name),
                default=defaults[name],
                acts=acting[with_],
                with_=with_,
            )

    def _check_rope_scaling(self) -> None:
        require_number("ModelConfig.rope_factor", self.rope_factor, least=1.0)
        low = "ModelConfig.rope_low_frequency_factor"
        require_number(low, self.rope_low_frequency_factor, above=0.0)
        require_number(
            "ModelConfig.rope_high_frequency_factor",
            self.rope_high_frequency_factor,
            above=self.rope_low_frequency_factor,
        )
