"""A run's model in Hugging Face's form: config.json, safetensors, tokeniser, card."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ...models.config import ModelConfig
from ...models.rows import RowShape
from ...objectives.errors import UsageError
from ...tasks.examples.mixture import Mixture, split_task
from ...tasks.tokens.vocabulary import vocabulary
from ..inference.open import run_config
from .card import card
from .family import Family
from .import_model import RECORD, made_whole
from .json_fields import read_json
from .llama import LLAMA
from .parameters import Parameters, names_and_shapes
from .safetensors import Writer
from .t5 import T5
from .tokeniser_out import tokeniser_files

NAMES = {"float32": "F32", "bfloat16": "BF16", "float16": "F16"}
"""Types by the names of config.json."""


class Exported(NamedTuple):
    """What was exported.

    Attributes:
      family: by name.
      step: of the checkpoint.
      dtype: of the weights.
      remarks: on the tokeniser.
    """

    family: str
    step: int
    dtype: str
    remarks: tuple[str, ...]


def export_model(
    run_dir: Path, out: Path, *, dtype: str | None = None, shard_bytes: int = 5 * 10**9
) -> Exported:
    """Writes the model of a run's newest checkpoint: all of it, or nothing.

    Parameters are read and written one array at a time.

    Args:
      run_dir: of the run.
      out: the folder, which must not exist.
      dtype: of `NAMES`; None is the one that an imported model had, or float32.
      shard_bytes: most bytes of a file, unless one tensor is larger.

    Raises:
      UsageError: no family of transformers has such a model, or `out` exists.
      CheckpointError: no checkpoint is whole.
    """
    if os.path.lexists(out):
        raise UsageError(f"{out} exists; give --out a folder that is to be made.")
    settings = run_config(run_dir).arguments("train", run_dir="", config="")
    config: ModelConfig = settings["model"]
    rows: RowShape = settings["rows"]
    mixture: Mixture = settings["mixture"]
    family = LLAMA if rows.encoder is None else T5
    if lacks := family.lacks(config):
        raise UsageError(
            f"{run_dir} cannot be exported as a {family.name}: it has {lacks}."
        )
    record = read_json(run_dir / RECORD) if (run_dir / RECORD).is_file() else {}
    dtype = dtype or {v: k for k, v in NAMES.items()}[record.get("dtype", "F32")]
    vocab = vocabulary(mixture.vocabulary)
    slots = record.get("max_positions") or max(
        stream.slots for stream in (rows.decoder, rows.encoder) if stream
    )
    decoder = rows.encoder is None
    tokeniser = tokeniser_files(vocab, slots=slots, starts=decoder, ends=not decoder)
    named = names_and_shapes(config, rows, vocabulary_size=vocab.size)
    parameters = Parameters(run_dir, named)
    with made_whole(out) as folder:
        _write_weights(
            folder, family, config, named, parameters,
            dtype=NAMES[dtype], shard_bytes=shard_bytes,
        )  # fmt: skip
        config_json = {**family.write(config, vocab.reserved, slots), "dtype": dtype}
        config_json["torch_dtype"] = dtype  # transformers 4
        _write_json(folder / "config.json", config_json)
        _write_json(folder / "generation_config.json", _generation(config_json))
        for name, content in tokeniser.files.items():
            (folder / name).write_bytes(content)
        text = card(
            mixture, rows, vocab.reserved, family=family.name,
            run=run_dir.resolve().name, step=parameters.step,
            origin=_origin(mixture, record), remarks=tokeniser.remarks,
        )  # fmt: skip
        (folder / "README.md").write_text(text)
    return Exported(family.name, parameters.step, dtype, tokeniser.remarks)


def _write_weights(
    folder: Path,
    family: Family,
    config: ModelConfig,
    named: Mapping[str, tuple[str, tuple[int, ...]]],
    parameters: Parameters,
    *,
    dtype: str,
    shard_bytes: int,
) -> None:
    """Every tensor, from each of our arrays in turn."""
    weights = family.written(config)
    shapes: dict[str, tuple[int, ...]] = {}
    for weight in weights:
        shapes |= weight.tensors(named[weight.ours][1])
    writer = Writer(folder, shapes, dtype=dtype, shard_bytes=shard_bytes)
    for weight in weights:
        for name, values in weight.give(parameters.read(weight.ours)):
            writer.write(name, values)
    writer.close()


def _generation(config_json: Mapping[str, Any]) -> dict[str, Any]:
    """What `generate` starts and ends with."""
    keys = ("bos_token_id", "decoder_start_token_id", "eos_token_id", "pad_token_id")
    return {k: config_json[k] for k in keys if config_json.get(k) is not None}


def _origin(mixture: Mixture, record: Mapping[str, Any]) -> str:
    """Where the weights are from."""
    if record:
        return f"imported from {Path(record['source']).name}, and not trained since"
    corpora = dict.fromkeys(split_task(task)[0] for task in mixture.positive_rates())
    return f"trained on {', '.join(corpora)}"


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
