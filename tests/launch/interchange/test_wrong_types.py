"""Values of wrong types in JSON files: each is refused with its file and its key."""

import json
from collections.abc import Mapping
from types import NoneType
from typing import Any

import pytest

from sightline.launch.interchange.family import named
from sightline.launch.interchange.import_model import FAMILIES
from sightline.launch.interchange.tokeniser_in import vocabulary_in
from sightline.launch.interchange.tokeniser_out import _piece_ids
from sightline.objectives.errors import UsageError

from .conftest import LLAMA, T5

VALUES = (None, True, 5, -1.5, float("inf"), "x", ["x"], [{}], {"x": "x"})

NUMBER, WHOLE, TEXT, OBJECT = (int, float), (int,), (str,), (dict, NoneType)
WHOLE_OR_NONE, TRUTH, LIST = (int, NoneType), (bool,), (list, NoneType)
TOKEN = (str, NoneType)

LLAMA3 = {
    "type": "llama3",
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
READ = {
    "llama": (
        {**LLAMA, "rope_scaling": LLAMA3},
        {
            **dict.fromkeys(("num_hidden_layers", "hidden_size"), WHOLE),
            **dict.fromkeys(("num_attention_heads", "intermediate_size"), WHOLE),
            "vocab_size": WHOLE,
            **dict.fromkeys(("num_key_value_heads", "head_dim"), WHOLE_OR_NONE),
            "max_position_embeddings": WHOLE_OR_NONE,
            "sliding_window": WHOLE_OR_NONE,
            "hidden_act": TEXT,
            "tie_word_embeddings": TRUTH,
            "rms_norm_eps": NUMBER,
            **dict.fromkeys(("rope_theta", "partial_rotary_factor"), NUMBER),
            **dict.fromkeys(("rope_scaling", "rope_parameters"), OBJECT),
            "architectures": LIST,
        },
    ),
    "t5": (
        T5,
        {
            **dict.fromkeys(("num_layers", "d_model", "num_heads"), WHOLE),
            **dict.fromkeys(("d_kv", "d_ff", "vocab_size"), WHOLE),
            "num_decoder_layers": WHOLE_OR_NONE,
            "n_positions": WHOLE_OR_NONE,
            "feed_forward_proj": TEXT,
            **dict.fromkeys(("tie_word_embeddings", "scale_decoder_outputs"), TRUTH),
            "relative_attention_num_buckets": WHOLE,
            "relative_attention_max_distance": WHOLE,
            "layer_norm_epsilon": NUMBER,
            "architectures": LIST,
        },
    ),
}
ROPE = {
    **dict.fromkeys(("type", "rope_type"), TEXT),
    **dict.fromkeys(("rope_theta", "partial_rotary_factor"), NUMBER),
    **dict.fromkeys(("factor", "low_freq_factor", "high_freq_factor"), NUMBER),
    "original_max_position_embeddings": WHOLE,
}
REFUSED = {"attention_bias", "mlp_bias", "num_local_experts", "quantization_config"}


def wrong(types: tuple[type, ...]) -> list[Any]:
    """The values that are of none of the types; no file has an infinite number."""
    return [v for v in VALUES if type(v) not in types or v == float("inf")]


def read(config: Mapping[str, Any]) -> None:
    named(FAMILIES, config).read(config)


def told(action, *arguments: Any, **keywords: Any) -> str:
    """The one line that refuses an action."""
    with pytest.raises(UsageError) as refused:
        action(*arguments, **keywords)
    assert "\n" not in str(refused.value)
    return str(refused.value)


class Recorded(dict):
    """A config.json that knows which of its keys were asked for."""

    def __init__(self, content: Mapping[str, Any]):
        super().__init__(content)
        self.read: set[str] = set()

    def get(self, key, default=None):
        self.read.add(key)
        return super().get(key, default)


@pytest.mark.parametrize(
    "family, key", [(family, key) for family, (_, keys) in READ.items() for key in keys]
)
def test_a_key_of_config_json(family, key):
    config, keys = READ[family]
    for value in wrong(keys[key]):
        message = told(read, {**config, key: value})
        assert "config.json" in message and key in message


@pytest.mark.parametrize("family", READ)
def test_every_key_that_is_read_is_tested(family):
    config = Recorded(READ[family][0])
    read(config)
    assert config.read - REFUSED == READ[family][1].keys()


@pytest.mark.parametrize("key", ROPE)
@pytest.mark.parametrize("name", ["rope_scaling", "rope_parameters"])
def test_a_key_of_rope(name, key):
    for value in wrong(ROPE[key]):
        message = told(read, {**LLAMA, name: {**LLAMA3, key: value}})
        assert f"config.json: {name}: {key} is {value!r}" in message


def test_every_key_of_rope_that_is_read_is_tested():
    scaling = Recorded(LLAMA3)
    read({**LLAMA, "rope_scaling": scaling})
    assert scaling.read == ROPE.keys()


IDS = ("pad_token_id", "bos_token_id", "eos_token_id", "mask_token_id", "sep_token_id")


@pytest.mark.parametrize(
    "config, key",
    [*((LLAMA, key) for key in IDS), (T5, "decoder_start_token_id")],
    ids=str,
)
def test_an_id_of_config_json(folders, config, key):
    folder = folders.empty(config)
    about = {"size": config["vocab_size"], "encoder_decoder": config is T5}
    for value in wrong(WHOLE_OR_NONE):
        message = told(vocabulary_in, folder, {**config, key: value}, **about)
        assert f"config.json: {key} is {value!r}" in message
    vocabulary_in(folder, {**config, key: -1}, **about)


TOKENISERS = {
    ("added_tokens.json", "x"): (lambda value: {"x": value}, WHOLE),
    **{
        (file, key): (lambda value, key=key: {key: value}, types)
        for file in ("tokenizer_config.json", "special_tokens_map.json")
        for key, types in {
            **{name.removesuffix("_id"): TOKEN for name in IDS},
            "extra_ids": WHOLE,
            "added_tokens_decoder": (NoneType,),
        }.items()
    },
    ("tokenizer_config.json", "added_tokens_decoder: 5"): (
        lambda value: {"added_tokens_decoder": {"5": value}},
        TEXT,
    ),
    ("tokenizer.json", "added_tokens"): (lambda value: {"added_tokens": value}, LIST),
    ("tokenizer.json", "added_tokens[0]"): (
        lambda value: {"added_tokens": [value]},
        (),
    ),
    ("tokenizer.json", "added_tokens[0]: id"): (
        lambda value: {"added_tokens": [{"content": "x", "id": value}]},
        WHOLE,
    ),
    ("tokenizer.json", "added_tokens[0] is {'content'"): (
        lambda value: {"added_tokens": [{"content": value, "id": 5}]},
        TEXT,
    ),
}


@pytest.mark.parametrize("file, key", TOKENISERS)
def test_a_file_of_the_tokeniser(folders, file, key):
    folder = folders.empty(LLAMA)
    content, types = TOKENISERS[file, key]
    for value in [*wrong(types), [5]]:
        (folder / file).write_text(json.dumps(content(value)))
        message = told(vocabulary_in, folder, LLAMA, size=320, encoder_decoder=False)
        assert f"{file}: {key}" in message


def test_pieces_of_a_kept_tokeniser():
    """They are read where an export adds ids to the tokeniser that a model had."""
    for vocab in (5, "x", {"a": "x"}, {"a": None}):
        told(_piece_ids, {"model": {"vocab": vocab}})
    assert "tokenizer.json: model is 5" in told(_piece_ids, {"model": 5})
    assert _piece_ids({"model": {"vocab": {"a": 3}}}) == {3}
    assert _piece_ids({"model": {"vocab": [["a", -1.0], ["b", -2.0]]}}) == {0, 1}
    assert _piece_ids({}) == set()
