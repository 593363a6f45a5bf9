"""`sightline export`: write a run's model in Hugging Face's form."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from ...objectives.errors import UsageError, nearest
from ._arguments import parse, require_folders

_ABOUT = """\
Write the model of a run's newest checkpoint as transformers loads it: config.json,
safetensors, tokeniser, generation_config.json, and a card that says which modes it was
trained in and how to ask for each.

  sightline export runs/mine --format=hf --out=models/mine
  sightline export runs/mine --format=hf --out=models/mine --dtype=bfloat16

A decoder with RoPE and a gated MLP becomes a Llama, an encoder-decoder with relative
positions a T5 (or uMT5). What else a run may have is refused with the reason.
"""

_UNITS = {"MB": 10**6, "GB": 10**9}


def main(arguments: Sequence[str]) -> int:
    """Exports a model and says where to; returns the exit status."""
    options = parse(_parser(), arguments)
    if options.format != "hf":
        raise UsageError(
            f"--format={options.format}: {nearest(options.format, ('hf',))}"
        )

    from ..interchange.export_model import NAMES, export_model

    if options.dtype is not None and options.dtype not in NAMES:
        raise UsageError(f"--dtype={options.dtype}: {nearest(options.dtype, NAMES)}")
    require_folders("--out", Path(options.out))
    exported = export_model(
        Path(options.run_dir),
        Path(options.out),
        dtype=options.dtype,
        shard_bytes=_bytes(options.shard_size),
    )
    print(
        f"{options.out}: a {exported.family} in {exported.dtype}, from the checkpoint "
        f"of step {exported.step:,}."
    )
    for remark in exported.remarks:
        print(remark)
    return 0


def _bytes(size: str) -> int:
    """`5GB` in bytes."""
    match = re.fullmatch(r"(\d+)(MB|GB)", size)
    if not match or not int(match[1]):
        raise UsageError(f"--shard_size={size}: give a size such as 5GB or 500MB.")
    return int(match[1]) * _UNITS[match[2]]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "sightline export",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("run_dir", metavar="RUN")
    parser.add_argument("--format", required=True, metavar="hf")
    parser.add_argument("--out", required=True, metavar="DIR", help="a new folder")
    parser.add_argument(
        "--dtype",
        metavar="float32|bfloat16|float16",
        help="of the weights; by default what was imported, or float32",
    )
    parser.add_argument(
        "--shard_size", default="5GB", metavar="SIZE", help="most of a file (5GB)"
    )
    return parser
