"""T5, T5 v1.1, mT5, UL2 and uMT5: encoder–decoders with T5's relative positions."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from ...models.config import ModelConfig
from ...objectives.errors import UsageError
from ...tasks.tokens.reserved import Reserved
from .family import Blueprint, Family, choice, required
from .json_fields import Json, count, count_or_none, flag, listed, number
from .safetensors import Tensor
from .weights import Weight, equal

_MLPS = {
    "relu": (False, "relu"),
    "silu": (False, "silu"),
    "gelu_new": (False, "gelu"),
    "gated-gelu": (True, "gelu"),
    "gated-silu": (True, "silu"),
    "gated-relu": (True, "relu"),
}
_NAMES = {mlp: name for name, mlp in _MLPS.items()}
_HEAD = "lm_head.weight"
_TABLES = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight")


def read(config: Json) -> Blueprint:
    """The blueprint of a config.json; missing settings are the classes' defaults."""
    layers, width, heads, head, hidden, size = required(
        config, "num_layers", "d_model", "num_heads", "d_kv", "d_ff", "vocab_size"
    )
    decoder_layers = count_or_none(config, "num_decoder_layers") or layers
    if decoder_layers != layers:
        raise UsageError(
            f"config.json: num_layers is {layers} and num_decoder_layers "
            f"{decoder_layers}; both stacks have the same number of layers here."
        )
    kind = listed(config, "architectures")[0]
    mlp = "relu" if kind.startswith("T5") else "gated-gelu"
    gated, activation = choice(config, "feed_forward_proj", mlp, _MLPS)
    multilingual = kind.startswith("MT5")
    tied = flag(config, "tie_word_embeddings", not multilingual)
    model = ModelConfig(
        layers=layers,
        d_model=width,
        heads=heads,
        kv_heads=heads,
        head_dim=head,
        d_hidden=hidden,
        activation=activation,
        gated=gated,
        position="relative_bias",
        relative_buckets=count(config, "relative_attention_num_buckets", 32),
        relative_max_distance=count(config, "relative_attention_max_distance", 128),
        relative_per_layer=kind.startswith("UMT5"),
        norm_epsilon=number(config, "layer_norm_epsilon", 1e-6),
        tie_embeddings=tied,
        # transformers 4 scales those of a tied table, and 5 does but for mT5. It calls
        # all of them tied, and says beside it whether it scales.
        scale_logits=flag(config, "scale_decoder_outputs", tied and not multilingual),
        compute_dtype="float32",
    )
    return Blueprint(
        model,
        architecture="encoder_decoder",
        vocabulary_size=size,
        max_positions=count_or_none(config, "n_positions") or 512,
        window=None,
        objective="span_corruption",
    )


def settle(blueprint: Blueprint, tensors: Mapping[str, Tensor]) -> Blueprint:
    """Whether the tables are one: two equal ones are, and a missing one is the other.

    The tensors decide: transformers 5 writes `tie_word_embeddings: true` for every T5,
    and keeps both tables where they differ.

    Raises:
      UsageError: config.json says that the model has an output table of its own, and
        there is none; or its two input tables differ.
    """
    shared = tensors.get("shared.weight")
    for name in _TABLES:
        if shared and name in tensors and not equal(tensors[name], shared):
            raise UsageError(
                f"{name} and shared.weight differ: the encoder and the decoder have "
                "one table here."
            )
    config, output = blueprint.config, tensors.get(_HEAD)
    if output is None and not config.tie_embeddings:
        raise UsageError(
            "config.json and the tensors disagree: tie_word_embeddings is false, and "
            "lm_head.weight is missing. Give the config.json and all files of one "
            "model."
        )
    tied = output is None or (shared is not None and equal(output, shared))
    config = dataclasses.replace(config, tie_embeddings=tied)
    return blueprint._replace(config=config)


def weights(config: ModelConfig) -> tuple[Weight, ...]:
    """The correspondence of the weights."""
    return (
        Weight("embedding.table", "shared.weight"),
        *_stack(config, "encoder", ("attention",)),
        *_stack(config, "decoder", ("attention", "cross")),
        *(() if config.tie_embeddings else (Weight("embedding.output", _HEAD),)),
    )


def written(config: ModelConfig) -> tuple[Weight, ...]:
    """The weights of a folder that is written; `write` says when a table is twice."""
    twice = config.tie_embeddings and not config.scale_logits
    copy = (Weight("embedding.table", _HEAD),) if twice else ()
    return (*weights(config), *copy)


def _stack(
    config: ModelConfig, stack: str, attentions: tuple[str, ...]
) -> list[Weight]:
    """The weights of the encoder or the decoder."""
    theirs = {"attention": "SelfAttention", "cross": "EncDecAttention"}
    ours, layer = f"{stack}_layers.", f"{stack}.block.{{layer}}.layer."
    found: list[Weight] = []
    for place, name in enumerate(attentions):
        at = f"{layer}{place}."
        found.append(Weight(f"{ours}{name}_norm.scale", f"{at}layer_norm.weight"))
        projections = (("query", "q", 1), ("key", "k", 1), ("value", "v", 1))
        found += [
            Weight(
                f"{ours}{name}.{part}", f"{at}{theirs[name]}.{letter}.weight", inputs
            )
            for part, letter, inputs in (*projections, ("out", "o", 2))
        ]
    bias = "0.SelfAttention.relative_attention_bias.weight"
    if config.relative_per_layer:
        found.append(Weight(f"{ours}bias.table", f"{layer}{bias}"))
    else:
        first = f"{stack}.block.0.layer.{bias}"
        found.append(Weight(f"{stack}_bias.table", first))
    at = f"{layer}{len(attentions)}."
    found.append(Weight(f"{ours}mlp_norm.scale", f"{at}layer_norm.weight"))
    gated = (("gate", "wi_0"), ("up", "wi_1"), ("down", "wo"))
    plain = (("up", "wi"), ("down", "wo"))
    found += [
        Weight(f"{ours}mlp.{part}", f"{at}DenseReluDense.{name}.weight", 1)
        for part, name in (gated if config.gated else plain)
    ]
    found.append(Weight(f"{stack}_norm.scale", f"{stack}.final_layer_norm.weight"))
    return found


def lacks(config: ModelConfig) -> str:
    """What of an encoder–decoder no T5 has."""
    if config.position != "relative_bias":
        return (
            'position="rope": its cross-attention rotates, and that of a T5 in '
            "transformers has no positions"
        )
    if config.kv_heads != config.heads:
        return (
            f"kv_heads={config.kv_heads} of heads={config.heads}: a T5 has keys and "
            "values for each head"
        )
    if config.scale_logits and not config.tie_embeddings:
        return "scale_logits=True with two tables: a T5 scales logits of a tied table"
    return ""


def write(config: ModelConfig, reserved: Reserved, slots: int) -> dict[str, Any]:
    """The config.json of an encoder–decoder, as transformers 4 and 5 read it.

    A T5 with a tied table scales its logits. Without the scale, the table is written
    twice, as if there were two.
    """
    kind = "UMT5" if config.relative_per_layer else "T5"
    return {
        "architectures": [f"{kind}ForConditionalGeneration"],
        "model_type": kind.lower(),
        "is_encoder_decoder": True,
        "vocab_size": reserved.size,
        "d_model": config.d_model,
        "d_kv": config.head_dim,
        "d_ff": config.d_hidden,
        "num_layers": config.layers,
        "num_decoder_layers": config.layers,
        "num_heads": config.heads,
        "relative_attention_num_buckets": config.relative_buckets,
        "relative_attention_max_distance": config.relative_max_distance,
        "feed_forward_proj": _NAMES[config.gated, config.activation],
        "layer_norm_epsilon": config.norm_epsilon,
        "tie_word_embeddings": config.scale_logits,
        "dropout_rate": 0.0,
        "n_positions": slots,
        "decoder_start_token_id": reserved.ids.get("bos"),
        "eos_token_id": reserved.ids.get("eos"),
        "pad_token_id": reserved.ids.get("pad"),
    }


T5 = Family(
    name="T5",
    classes=(
        "T5ForConditionalGeneration",
        "T5WithLMHeadModel",  # as the oldest configs call it
        "MT5ForConditionalGeneration",
        "UMT5ForConditionalGeneration",
    ),
    read=read,
    settle=settle,
    weights=weights,
    written=written,
    known=(
        *_TABLES,
        _HEAD,
        # Of old checkpoints; no T5 reads it.
        "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight",
    ),
    write=write,
    lacks=lacks,
)
