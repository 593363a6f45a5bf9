"""`sightline import`: bring a Hugging Face model in, as a run directory."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from ...objectives import registry
from ...objectives.errors import UsageError, nearest
from ...tasks import corpora
from ._arguments import parse, require_folders

_ABOUT = """\
Bring a model of Hugging Face's form in: a run directory that diagnose, audit and other
commands read as if it had been trained here.

  sightline import hf:models/llama --out=runs/llama
  sightline import hf:models/t5 --out=runs/t5 --slots=512 --add_reserved_ids

DIR holds config.json, model.safetensors (or its shards and their index) and the
tokeniser. Llama 2 and 3, Mistral without its window, T5, T5 v1.1, mT5, UL2 and uMT5;
what else a config.json asks for is refused. The weights become float32. The vocabulary
has exactly the ids of the model's table; an objective that needs another is refused,
unless --add_reserved_ids adds it: rows that are the mean of the table (Hewitt 2021).
"""


def main(arguments: Sequence[str]) -> int:
    """Imports a model and says what it is; returns the exit status."""
    options = parse(_parser(), arguments)
    scheme, _, folder = options.source.partition(":")
    if scheme != "hf" or not folder:
        raise UsageError(
            f"{options.source!r} is no source; give hf:DIR, the folder of a model."
        )
    for option, valid in (("corpus", corpora.names()), ("objective", _objectives())):
        value = getattr(options, option)
        if value is not None and value not in valid:
            raise UsageError(f"--{option}: no {value!r}; {nearest(value, valid)}")

    from ..interchange.import_model import import_model

    require_folders("--out", Path(options.out))
    imported = import_model(
        Path(folder),
        Path(options.out),
        slots=options.slots,
        corpus=options.corpus,
        objective=options.objective,
        add_reserved_ids=options.add_reserved_ids,
    )
    vocab = imported.vocab
    print(
        f"{options.out}: {imported.family}, {imported.parameters:,} parameters "
        f"(stored as {imported.dtype}), rows of {imported.rows.decoder.slots:,} slots, "
        f"{vocab.size:,} ids."
    )
    if imported.added:
        print(f"{imported.added} rows were added to the table, each its mean.")
    elif vocab.reserved.lacking:
        print(f"It has no id for: {', '.join(vocab.reserved.lacking)}.")
    return 0


def _objectives() -> list[str]:
    return list(registry.objectives())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "sightline import",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("source", metavar="hf:DIR")
    parser.add_argument("--out", required=True, metavar="RUN", help="a new folder")
    parser.add_argument(
        "--slots",
        type=int,
        metavar="N",
        help="of a row; by default the model's positions, up to 2,048",
    )
    parser.add_argument(
        "--corpus", default="python_docs", help="that probes read (python_docs)"
    )
    parser.add_argument(
        "--objective",
        metavar="NAME",
        help="that it was trained with (causal, or span_corruption)",
    )
    parser.add_argument(
        "--add_reserved_ids",
        action="store_true",
        help="add rows to the table for the reserved ids that it lacks",
    )
    return parser
