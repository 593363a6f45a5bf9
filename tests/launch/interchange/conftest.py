"""Folders of tiny models as Hugging Face writes them: configs, tokenisers, weights."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import sentencepiece

from sightline.launch.configuration.config import load
from sightline.launch.interchange.family import named
from sightline.launch.interchange.import_model import FAMILIES
from sightline.launch.interchange.parameters import names_and_shapes, rows_of
from sightline.launch.interchange.run_config import config_gin
from sightline.launch.interchange.safetensors import Writer
from sightline.launch.runs.checkpoints import Checkpoints
from sightline.models.config import ModelConfig
from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.tasks.tokens.vocabulary import vocabulary

PIECES = 300
"""Of the tokenisers; tables may have more rows."""

LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": 320,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "hidden_act": "silu",
    "max_position_embeddings": 64,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
}

T5 = {
    "architectures": ["T5ForConditionalGeneration"],
    "model_type": "t5",
    "is_encoder_decoder": True,
    "vocab_size": 416,
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 48,
    "num_layers": 2,
    "num_decoder_layers": 2,
    "num_heads": 4,
    "feed_forward_proj": "gated-gelu",
    "layer_norm_epsilon": 1e-6,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 20,
    "tie_word_embeddings": False,
    "dropout_rate": 0.0,
    "n_positions": 64,
    "decoder_start_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 0,
}

SENTENCES = [f"word{n} and some other words, {n} of them." for n in range(300)]


def sentencepiece_model(**options: Any) -> bytes:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES),
        model_writer=model,
        vocab_size=PIECES,
        byte_fallback=True,
        minloglevel=2,
        hard_vocab_limit=True,
        **options,
    )
    return model.getvalue()


@pytest.fixture(scope="session")
def tokenisers() -> dict[str, tuple[str, bytes]]:
    """File name and content of a tokeniser, by model type."""
    llama = sentencepiece_model(unk_id=0, bos_id=1, eos_id=2, pad_id=-1)
    t5 = sentencepiece_model(pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    return {"llama": ("tokenizer.model", llama), "t5": ("spiece.model", t5)}


class Folders:
    """Makes folders of models."""

    def __init__(self, root: Path, tokenisers: Mapping[str, tuple[str, bytes]]):
        self.root, self._tokenisers = root, tokenisers

    def write(
        self,
        config: Mapping[str, Any],
        *,
        dtype: str = "F32",
        shard_bytes: int = 10**9,
        seed: int = 0,
    ) -> Path:
        """A folder with random weights, without transformers."""
        folder = self.empty(config)
        (folder / "config.json").write_text(json.dumps(config))
        family = named(FAMILIES, config)
        blueprint = family.read(config)
        named_shapes = names_and_shapes(
            blueprint.config,
            rows_of(blueprint.architecture, 8),
            vocabulary_size=blueprint.vocabulary_size,
        )
        shapes: dict[str, tuple[int, ...]] = {}
        for weight in family.written(blueprint.config):
            shapes |= weight.tensors(named_shapes[weight.ours][1])
        writer = Writer(folder, shapes, dtype=dtype, shard_bytes=shard_bytes)
        rng = np.random.default_rng(seed)
        for name, shape in shapes.items():
            writer.write(name, rng.normal(0.0, 0.3, shape).astype(np.float32))
        writer.close()
        return folder

    def empty(self, config: Mapping[str, Any]) -> Path:
        """A folder with the tokeniser alone."""
        folder = self.root / f"model{len(list(self.root.iterdir()))}"
        folder.mkdir()
        self.put_tokeniser(folder, config)
        return folder

    def put_tokeniser(self, folder: Path, config: Mapping[str, Any]) -> None:
        kind = "t5" if "t5" in config["model_type"] else "llama"
        name, content = self._tokenisers[kind]
        (folder / name).write_bytes(content)


@pytest.fixture
def folders(tmp_path, tokenisers) -> Folders:
    return Folders(tmp_path, tokenisers)


ROWS = {
    "decoder": decoder_rows(slots=32, predictions=32),
    "encoder_decoder": encoder_decoder_rows(
        slots=32, predictions=32, memory_slots=32, memory_predictions=32
    ),
}


def own_run(
    folder: Path,
    rates: Mapping[str, float],
    *,
    vocab: str = "python_docs",
    architecture: str = "decoder",
    bindings: tuple[str, ...] = (),
    **changes: Any,
) -> Path:
    """A run directory as `sightline train` leaves it, with random parameters."""
    sizes = dict(layers=2, d_model=32, heads=4, kv_heads=2, head_dim=8, d_hidden=48)
    model = ModelConfig(**{**sizes, "compute_dtype": "float32", **changes})
    text = config_gin(
        model, ROWS[architecture], "python_docs.causal",
        folder=folder, digest=vocabulary(vocab).digest, source="nowhere",
    )  # fmt: skip
    folder.mkdir()
    path = folder / "config.gin"
    path.write_text(text)
    bound = (f"Mixture.rates={dict(rates)!r}", f"Mixture.vocabulary={vocab!r}")
    path.write_text(load([str(path)], [*bound, *bindings]).resolved_config())
    named_shapes = names_and_shapes(
        model, ROWS[architecture], vocabulary_size=vocabulary(vocab).size
    )
    rng = np.random.default_rng(0)
    arrays = {
        name: jnp.asarray(rng.normal(0.0, 0.3, shape), jnp.float32)
        for name, shape in named_shapes.values()
    }
    with Checkpoints(folder, keep=1, period=1) as checkpoints:
        checkpoints.save(7, arrays, {})
    return folder
