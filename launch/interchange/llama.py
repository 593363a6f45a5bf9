"""Llama 2 and 3, and Mistral: decoders with RoPE and a gated MLP."""

from collections.abc import Mapping
from typing import Any

from ...models.config import ModelConfig
from ...objectives.errors import UsageError, nearest
from ...tasks.tokens.reserved import Reserved
from .family import Blueprint, Family, choice, refuse, required
from .json_fields import CONFIG, Json, count, count_or_none, flag, mapping, number, text
from .safetensors import Tensor
from .weights import Weight, equal

_ACTIVATIONS = {
    "silu": "silu",
    "swish": "silu",
    "gelu_new": "gelu",
    "gelu_pytorch_tanh": "gelu",
    "relu": "relu",
}
_THEIRS = {"silu": "silu", "gelu": "gelu_pytorch_tanh", "relu": "relu"}

_TABLE, _HEAD = "model.embed_tokens.weight", "lm_head.weight"

_REFUSED = {
    "attention_bias": "attention has no biases here",
    "mlp_bias": "the MLP has no biases here",
    "num_local_experts": "there are no mixtures of experts here",
}


def read(config: Json) -> Blueprint:
    """The blueprint of a config.json; missing settings are LlamaConfig's defaults."""
    layers, width, heads, hidden, size = required(
        config,
        *("num_hidden_layers", "hidden_size", "num_attention_heads"),
        *("intermediate_size", "vocab_size"),
    )
    refuse(config, _REFUSED)
    model = ModelConfig(
        layers=layers,
        d_model=width,
        heads=heads,
        kv_heads=count_or_none(config, "num_key_value_heads") or heads,
        head_dim=count_or_none(config, "head_dim") or width // heads,
        d_hidden=hidden,
        activation=choice(config, "hidden_act", "silu", _ACTIVATIONS),
        norm_epsilon=number(config, "rms_norm_eps", 1e-6),
        tie_embeddings=flag(config, "tie_word_embeddings", False),
        compute_dtype="float32",
        **_rope(config),
    )
    return Blueprint(
        model,
        architecture="decoder",
        vocabulary_size=size,
        max_positions=count_or_none(config, "max_position_embeddings") or 2048,
        window=count_or_none(config, "sliding_window"),
        objective="causal",
    )


def _rope(config: Json) -> dict[str, Any]:
    """Settings of RoPE, as transformers 5 writes them or as 4 did."""
    key = "rope_parameters" if mapping(config, "rope_parameters") else "rope_scaling"
    scaling, where = mapping(config, key), f"{CONFIG}: {key}"

    def either(name: str, default: float) -> float:
        return number(scaling, name, number(config, name, default), where=where)

    turned = either("partial_rotary_factor", 1.0)
    if turned != 1.0:
        raise UsageError(
            f"config.json: partial_rotary_factor is {turned:g}, which is not "
            "supported: all of a head rotates here."
        )
    kind = text(
        scaling, "rope_type", text(scaling, "type", "default", where=where), where=where
    )
    if kind not in ("default", "llama3"):
        raise UsageError(
            f"config.json: RoPE scaling of type {kind!r} is not supported; "
            + nearest(kind, ("default", "llama3"))
        )
    theta = {"rope_theta": either("rope_theta", 10_000.0)}
    # Frequencies divided by 1 are as they were, whatever the other settings say.
    if kind == "default" or number(scaling, "factor", where=where) == 1.0:
        return theta
    original = "original_max_position_embeddings"
    return {
        **theta,
        "rope_factor": number(scaling, "factor", where=where),
        "rope_low_frequency_factor": number(scaling, "low_freq_factor", where=where),
        "rope_high_frequency_factor": number(scaling, "high_freq_factor", where=where),
        "rope_original_context": count(scaling, original, where=where),
    }


def settle(blueprint: Blueprint, tensors: Mapping[str, Tensor]) -> Blueprint:
    """The blueprint as it is: config.json says all.

    Raises:
      UsageError: it says that there is one table, and there are two.
    """
    table, output = tensors.get(_TABLE), tensors.get(_HEAD)
    tied = blueprint.config.tie_embeddings
    if tied and table and output and not equal(table, output):
        raise UsageError(
            "config.json and the tensors disagree: tie_word_embeddings is true, and "
            f"{_TABLE} and {_HEAD} differ. Give the config.json and all files of one "
            "model."
        )
    return blueprint


def weights(config: ModelConfig) -> tuple[Weight, ...]:
    """The correspondence of the weights."""
    layer = "model.layers.{layer}."
    attention, mlp = f"{layer}self_attn.", f"{layer}mlp."
    return (
        Weight("embedding.table", _TABLE),
        Weight("layers.attention_norm.scale", f"{layer}input_layernorm.weight"),
        Weight("layers.attention.query", f"{attention}q_proj.weight", 1),
        Weight("layers.attention.key", f"{attention}k_proj.weight", 1),
        Weight("layers.attention.value", f"{attention}v_proj.weight", 1),
        Weight("layers.attention.out", f"{attention}o_proj.weight", 2),
        Weight("layers.mlp_norm.scale", f"{layer}post_attention_layernorm.weight"),
        Weight("layers.mlp.gate", f"{mlp}gate_proj.weight", 1),
        Weight("layers.mlp.up", f"{mlp}up_proj.weight", 1),
        Weight("layers.mlp.down", f"{mlp}down_proj.weight", 1),
        Weight("norm.scale", "model.norm.weight"),
        *(() if config.tie_embeddings else (Weight("embedding.output", _HEAD),)),
    )


def lacks(config: ModelConfig) -> str:
    """What of a decoder no Llama has."""
    if config.position != "rope":
        return 'position="relative_bias": a Llama has RoPE'
    if not config.gated:
        return "gated=False: a Llama's MLP has a gate"
    if config.scale_logits:
        return "scale_logits=True: a Llama does not scale its logits"
    if config.d_model % config.heads:
        return (
            f"d_model={config.d_model} is no multiple of heads={config.heads}, which "
            "transformers demands of a Llama"
        )
    return ""


def write(config: ModelConfig, reserved: Reserved, slots: int) -> dict[str, Any]:
    """The config.json of a decoder, as transformers 4 and 5 read it."""
    scaling = None
    if config.rope_factor != 1.0:
        scaling = {
            "rope_type": "llama3",
            "factor": config.rope_factor,
            "low_freq_factor": config.rope_low_frequency_factor,
            "high_freq_factor": config.rope_high_frequency_factor,
            "original_max_position_embeddings": config.rope_original_context,
        }
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": reserved.size,
        "hidden_size": config.d_model,
        "intermediate_size": config.d_hidden,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "head_dim": config.head_dim,
        "hidden_act": _THEIRS[config.activation],
        "max_position_embeddings": slots,
        "rms_norm_eps": config.norm_epsilon,
        "rope_theta": config.rope_theta,
        "rope_scaling": scaling,
        "tie_word_embeddings": config.tie_embeddings,
        "attention_bias": False,
        "mlp_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": reserved.ids.get("bos"),
        "eos_token_id": reserved.ids.get("eos"),
        "pad_token_id": reserved.ids.get("pad"),
    }


LLAMA = Family(
    name="Llama",
    classes=("LlamaForCausalLM", "MistralForCausalLM"),
    read=read,
    settle=settle,
    weights=weights,
    written=weights,
    # Frequencies that older files hold; and a tied model's copy of its table.
    known=("rotary_emb.inv_freq", _HEAD),
    write=write,
    lacks=lacks,
)
