"""A model of Hugging Face's form into a run directory."""

import contextlib
import dataclasses
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float32

from ...models.config import ModelConfig
from ...models.rows import RowShape
from ...objectives import registry
from ...objectives.errors import UsageError, require_count
from ...tasks.examples.preflight import check_ids
from ...tasks.tokens.model_vocabulary import checked
from ...tasks.tokens.reserved import completed
from ...tasks.tokens.vocabulary import Vocabulary
from ..runs.checkpoints import Checkpoints
from .family import Blueprint, Family, named
from .json_fields import CONFIG, Json, read_json
from .llama import LLAMA
from .parameters import host_memory, names_and_shapes, rows_of
from .run_config import config_gin
from .safetensors import Tensor, open_folder
from .t5 import T5
from .tokeniser_in import FILES, ModelVocabulary, vocabulary_in
from .weights import Weight, check_tensors, dtype_of

FAMILIES = (LLAMA, T5)

RECORD = "imported.json"
"""Where a run says which model was imported into it."""

TOKENISER = "tokeniser"
"""The folder of a run that keeps the files of the model's own tokeniser."""

SLOTS = 2048
"""Most slots of a row by default; a model may have been trained on more."""

TABLES = ("embedding.table", "embedding.output")


class Imported(NamedTuple):
    """What was imported.

    Attributes:
      family: by name.
      config: dimensions.
      rows: of the run.
      vocab: the vocabulary.
      parameters: their number.
      added: rows added to the table.
      dtype: that the weights were stored in.
    """

    family: str
    config: ModelConfig
    rows: RowShape
    vocab: Vocabulary
    parameters: int
    added: int
    dtype: str


def import_model(
    source: Path,
    out: Path,
    *,
    slots: int | None = None,
    corpus: str = "python_docs",
    objective: str | None = None,
    add_reserved_ids: bool = False,
) -> Imported:
    """Makes a run directory of a model: all of it, or nothing.

    The parameters are read, turned and saved array by array: the memory that this takes
    is that of the parameters in float32, once, and of some arrays more.

    Args:
      source: with config.json, safetensors files and the tokeniser.
      out: the run directory, which must not exist.
      slots: of a row; None is the most that the model was trained on, up to `SLOTS`.
      corpus: of the mixture, where probes read.
      objective: that the model was trained with; None is its family's.
      add_reserved_ids: whether reserved ids that its vocabulary lacks are added. Their
        rows of the table are the mean of all rows (Hewitt 2021).

    Raises:
      UsageError: the model cannot be expressed, is damaged, or `out` exists.
    """
    if os.path.lexists(out):
        raise UsageError(f"{out} exists; give --out a folder that is to be made.")
    if not source.is_dir():
        raise UsageError(
            f"no folder {str(source)!r}; give hf:DIR, the folder of a model on disk "
            "(download one first: hf download NAME --local-dir=DIR)."
        )
    config_json = read_json(source / CONFIG)
    family = named(FAMILIES, config_json)
    tensors = open_folder(source)
    blueprint = family.settle(family.read(config_json), tensors)
    rows = _rows(blueprint, slots)
    weights = family.weights(blueprint.config)
    size = blueprint.vocabulary_size
    shapes = names_and_shapes(blueprint.config, rows, vocabulary_size=size)
    check_tensors(
        tensors, weights, {n: s for n, (_, s) in shapes.items()}, known=family.known
    )
    # config.json need not say it: T5's class does, whatever `is_encoder_decoder`.
    inner = vocabulary_in(
        source,
        config_json,
        size=size,
        encoder_decoder=blueprint.architecture == "encoder_decoder",
    )
    if add_reserved_ids:
        inner = _completed(inner)
    vocab = Vocabulary(str(out), inner.base, inner.reserved)
    task = registry.get(objective or blueprint.objective)
    check_ids(task, vocab.special_ids)
    dtype = dtype_of(tensors)
    compute_dtype = "float32" if dtype == "F32" else "bfloat16"
    model = dataclasses.replace(blueprint.config, compute_dtype=compute_dtype)
    added = vocab.size - size
    record = _record(source, family, blueprint, config_json, dtype, added)
    text = config_gin(
        model, rows, f"{corpus}.{task.name}", folder=out, digest=vocab.digest,
        source=str(source),
    )  # fmt: skip
    with made_whole(out) as folder:
        _write_small(folder, source, inner, record, text)
        arrays = _arrays(tensors, weights, shapes, added=added)
        with Checkpoints(folder, keep=1, period=1) as checkpoints:
            checkpoints.save(0, arrays, {"imported": record})
        parameters = sum(array.size for array in arrays.values())
    return Imported(family.name, model, rows, vocab, parameters, added, dtype)


def _rows(blueprint: Blueprint, slots: int | None) -> RowShape:
    """The rows, within what the model can attend to."""
    if slots is not None:
        require_count("--slots", slots)
    slots = slots or min(blueprint.max_positions, SLOTS)
    window = blueprint.window
    if window is not None and window < slots:
        raise UsageError(
            f"config.json: sliding_window is {window}: each slot attends to so many "
            f"before it, and rows of {slots} slots would show more; take "
            f"--slots={window} or fewer."
        )
    return rows_of(blueprint.architecture, slots)


def _completed(vocab: ModelVocabulary) -> ModelVocabulary:
    reserved = completed(vocab.reserved)
    return vocab._replace(reserved=checked(vocab.base, reserved, where="--out"))


def _record(
    source: Path,
    family: Family,
    blueprint: Blueprint,
    config_json: Json,
    dtype: str,
    added: int,
) -> dict[str, Any]:
    """What the run says of where it came from."""
    return {
        "source": f"hf:{source.resolve()}",
        "family": family.name,
        "dtype": dtype,
        # What goes out has no window, so it claims no more than one.
        "max_positions": min(
            blueprint.max_positions, blueprint.window or blueprint.max_positions
        ),
        "added_rows": added,
        "added_rows_are": "the mean of the table's rows" if added else None,
        "config.json": dict(config_json),
    }


def _write_small(
    folder: Path, source: Path, vocab: ModelVocabulary, record: Json, text: str
) -> None:
    """Every file of the run but its checkpoint."""
    for name, content in vocab.files().items():
        (folder / name).write_bytes(content)
    (folder / RECORD).write_text(json.dumps(record, indent=1) + "\n")
    (folder / "config.gin").write_text(text)
    kept = folder / TOKENISER
    kept.mkdir()
    for name in FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, kept / name)


def _arrays(
    tensors: Mapping[str, Tensor],
    weights: tuple[Weight, ...],
    shapes: Mapping[str, tuple[str, tuple[int, ...]]],
    *,
    added: int,
) -> dict[str, jax.Array]:
    """Our arrays by their names in a checkpoint, each read in turn."""
    arrays: dict[str, jax.Array] = {}
    for weight in weights:
        name, shape = shapes[weight.ours]
        array = weight.take(tensors, shape)
        if not np.isfinite(array).all():
            raise UsageError(
                f"{' or '.join(weight.tensors(shape))} holds NaN or infinite values; "
                "the files are damaged, or the model diverged in training."
            )
        if added and weight.ours in TABLES:
            array = _longer(array, added)
        arrays[name] = jax.device_put(array, host_memory())
    return arrays


def _longer(
    table: Float32[np.ndarray, "V D"], rows: int
) -> Float32[np.ndarray, "more D"]:
    """The table with new rows, each the mean of all (Hewitt 2021).

    Then a new token's logit is at most the mean of the others' exponents away, and
    it takes at most its share, 1 / (V + 1), of a Boltzmann distribution.
    """
    mean = table.mean(axis=0, dtype=np.float64).astype(np.float32)
    return np.concatenate([table, np.broadcast_to(mean, (rows, table.shape[1]))])


@contextlib.contextmanager
def made_whole(out: Path) -> Iterator[Path]:
    """A folder beside `out` that becomes it at the end; deleted after an error."""
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = out.parent / f".{out.name}.{secrets.token_hex(4)}.unfinished"
    folder.mkdir()
    try:
        yield folder
        os.rename(folder, out)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
