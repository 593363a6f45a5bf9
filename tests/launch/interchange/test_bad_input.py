"""What cannot be imported: one clear line, and nothing left behind."""

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sightline.launch import cli
from sightline.launch.interchange import llama

from .conftest import LLAMA, T5


def config_with(**changes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        config = {**json.loads(path.read_text()), **changes}
        path.write_text(json.dumps({k: v for k, v in config.items() if v is not ...}))

    return change


def cut_short(folder: Path) -> None:
    shard = sorted(folder.glob("*.safetensors"))[-1]
    shard.write_bytes(shard.read_bytes()[:-10])


def only_a_prefix(folder: Path) -> None:
    shard = sorted(folder.glob("*.safetensors"))[0]
    shard.write_bytes(shard.read_bytes()[:30])


def of_eight_bits(folder: Path) -> None:
    shard = sorted(folder.glob("*.safetensors"))[0]
    content = shard.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header = content[8 : 8 + length].replace(b'"F32"', b'"I8" ')
    shard.write_bytes(content[:8] + header + content[8 + length :])


def with_a_nan(folder: Path) -> None:
    shard = sorted(folder.glob("*.safetensors"))[-1]
    content = shard.read_bytes()
    shard.write_bytes(content[:-4] + np.float32(np.nan).tobytes())


def without_a_shard(folder: Path) -> None:
    sorted(folder.glob("*.safetensors"))[0].unlink()


def without_a_tensor(folder: Path) -> None:
    index = folder / "model.safetensors.index.json"
    content = json.loads(index.read_text())
    del content["weight_map"]["model.norm.weight"]
    index.write_text(json.dumps(content))


def with_another_tensor(folder: Path) -> None:
    index = folder / "model.safetensors.index.json"
    content = json.loads(index.read_text())
    where = content["weight_map"]
    where["model.layers.0.self_attn.q_proj.bias"] = where["model.norm.weight"]
    index.write_text(json.dumps(content))


def index_outside(folder: Path) -> None:
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "../a.safetensors"}}))


def index_of_numbers(folder: Path) -> None:
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": 5}}))


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def without_weights(folder: Path) -> None:
    for path in folder.glob("*.safetensors*"):
        path.unlink()
    (folder / "pytorch_model.bin").write_bytes(b"")


def broken(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text("{")  # pyright: ignore


ROPE = {"rope_type": "yarn", "factor": 4.0}
DAMAGE = [
    (LLAMA, without("config.json"), "has no config.json"),
    (LLAMA, broken("config.json"), "config.json is no JSON"),
    (LLAMA, config_with(hidden_size=...), "config.json lacks hidden_size"),
    (LLAMA, config_with(hidden_size="x"), "hidden_size is 'x'"),
    (
        LLAMA,
        config_with(architectures=["GPT2LMHeadModel"]),
        "architecture 'GPT2LMHeadModel' is not supported; valid: Llama",
    ),
    (
        LLAMA,
        config_with(architectures=["MixtralForCausalLM"]),
        "architecture 'MixtralForCausalLM' is not supported",
    ),
    (LLAMA, config_with(attention_bias=True), "attention_bias is True"),
    (LLAMA, config_with(mlp_bias=True), "mlp_bias is True"),
    (LLAMA, config_with(hidden_act="gelu"), "hidden_act 'gelu' is not supported"),
    (LLAMA, config_with(rope_scaling=ROPE), "RoPE scaling of type 'yarn'"),
    (
        LLAMA,
        config_with(rope_scaling={"type": "llama3"}),
        "rope_scaling: factor is None; set it to a finite number > 0",
    ),
    (LLAMA, config_with(partial_rotary_factor=0.5), "partial_rotary_factor is 0.5"),
    (LLAMA, config_with(rms_norm_eps=None), "rms_norm_eps is None; set it to a finite"),
    (
        LLAMA,
        config_with(sliding_window="8"),
        "sliding_window is '8'; set it to a whole",
    ),
    (LLAMA, config_with(sliding_window=16), "sliding_window is 16"),
    (LLAMA, config_with(quantization_config={"bits": 4}), "quantization_config is"),
    (LLAMA, config_with(intermediate_size=64), "disagree: model.layers.0.mlp.gate"),
    (LLAMA, config_with(num_hidden_layers=3), "model.layers.2.input_layernorm.weight"),
    (LLAMA, config_with(num_hidden_layers=1), "has no place in such a model"),
    (LLAMA, config_with(vocab_size=336), "embed_tokens.weight is [320, 32], and"),
    (LLAMA, config_with(bos_token_id=1000), "bos is 1000, and the model's table"),
    (LLAMA, config_with(tie_word_embeddings=True), "tie_word_embeddings is true, and"),
    (LLAMA, with_a_nan, "holds NaN or infinite values"),
    (LLAMA, cut_short, "is cut short: it has"),
    (LLAMA, only_a_prefix, "is cut short or no safetensors file (30 bytes)"),
    (LLAMA, of_eight_bits, "is of type I8, which is not supported"),
    (LLAMA, without_a_shard, "lacks 1 of its"),
    (LLAMA, without_a_tensor, "disagree: model.norm.weight is missing"),
    (LLAMA, with_another_tensor, "q_proj.bias"),
    (LLAMA, index_outside, "names a file outside of its folder"),
    (LLAMA, broken("model.safetensors.index.json"), "is no index of shards"),
    (LLAMA, index_of_numbers, "is no index of shards"),
    (LLAMA, without_weights, "it has pytorch_model.bin: save it again"),
    (LLAMA, without("tokenizer.model"), "has no tokeniser"),
    (LLAMA, broken("tokenizer.model"), "is no SentencePiece model"),
    (T5, config_with(num_decoder_layers=3), "num_decoder_layers 3"),
    (T5, config_with(feed_forward_proj="gelu"), "feed_forward_proj 'gelu' is not"),
    (T5, config_with(d_kv=16), "config.json calls for [64, 32]"),
    (T5, config_with(feed_forward_proj="relu"), "DenseReluDense.wi.weight is missing"),
]


@pytest.mark.parametrize(
    ("config", "damage", "message"), DAMAGE, ids=[m[:40] for *_, m in DAMAGE]
)
def test_it_is_refused_in_one_line(folders, capsys, config, damage, message):
    folder = folders.write(config, shard_bytes=40_000)
    damage(folder)
    out = folders.root / "runs" / "new"
    out.parent.mkdir()
    assert cli.main(["import", f"hf:{folder}", f"--out={out}"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(out.parent.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["hf:nowhere", "--out=new"], "no folder 'nowhere'; give hf:DIR"),
        (["somewhere", "--out=new"], "'somewhere' is no source; give hf:DIR"),
        (["hf:.", "--out=taken"], "taken exists"),
        (["hf:.", "--out=new", "--corpus=wiki"], "did you mean 'wikipedia'"),
        (["hf:.", "--out=new", "--objective=causl"], "did you mean 'causal'"),
        (["hf:.", "--out=new", "--slot=8"], "did you mean '--slots'"),
    ],
    ids=str,
)
def test_wrong_arguments(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    assert cli.main(["import", *words]) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere", "--format=hf", "--out=new"], "nowhere holds no run"),
        ([".", "--format=gguf", "--out=new"], "valid: hf"),
        ([".", "--format=hf", "--out=taken"], "taken exists"),
        ([".", "--format=hf", "--out=new", "--dtype=float8"], "did you mean"),
        ([".", "--format=hf", "--out=new", "--shard_size=5"], "such as 5GB"),
    ],
    ids=str,
)
def test_wrong_arguments_of_export(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    assert cli.main(["export", *words]) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_failed_save_leaves_nothing(folders, monkeypatch):
    from sightline.launch.interchange import import_model as module

    def fail(*_: object, **__: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(module.Checkpoints, "save", fail)
    folder, out = folders.write(LLAMA), folders.root / "runs" / "new"
    with pytest.raises(OSError, match="no space"):
        module.import_model(folder, out)
    assert not list(out.parent.iterdir())


def test_a_scaling_by_1_leaves_the_rest_of_it_out():
    """It divides nothing, and a setting that does not act is refused of a model."""
    original = {"original_max_position_embeddings": 32}
    factors = {"factor": 1.0, "low_freq_factor": 2.0, "high_freq_factor": 8.0}
    scaling = {"rope_type": "llama3", **factors, **original}
    scaled = llama.read({**LLAMA, "rope_scaling": scaling})
    assert scaled.config == llama.read(LLAMA).config
