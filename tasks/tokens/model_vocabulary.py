"""A vocabulary that came with a model: its tokeniser's file, and what its ids mean.

`vocabulary.json`, beside the tokeniser's own file:

    {"format": 1, "base": "spiece.model", "size": 32128,
     "ids": {"pad": 0, "eos": 1, "bos": 0, "mask": null, ...},
     "sentinels": [32099, 32098, ...]}

`size` is the number of rows of the model's table. An id that is null is lacking.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...objectives.errors import UsageError, nearest
from .base_tokeniser import BaseTokeniser, bytes_tokeniser, sentencepiece_tokeniser
from .reserved import KEYS, Reserved, appended
from .tokenizer_json import tokenizer_json_tokeniser

FORMAT = 1

BYTES = "bytes"
"""The base of a vocabulary of bytes, which needs no file."""


def read_model_vocabulary(path: Path) -> tuple[BaseTokeniser, Reserved]:
    """The base tokeniser and the reserved ids of a `vocabulary.json`.

    Raises:
      UsageError: there is no such file, it is damaged, or its tokeniser is.
    """
    if not path.is_file():
        raise UsageError(f"no vocabulary file at {str(path)!r}; check the path.")
    parsed = _parsed(path.read_text(encoding="utf-8", errors="replace"))
    if parsed is None:
        raise UsageError(
            f"{str(path)!r} is no vocabulary of a model: it needs format {FORMAT}, "
            "base, size, ids and sentinels, as `sightline import` writes them."
        )
    base_name, reserved = parsed
    for key in reserved.ids:
        if key not in KEYS:
            raise UsageError(f"{path}: no reserved id {key!r}; {nearest(key, KEYS)}")
    base = base_tokeniser(path.parent, base_name)
    return base, checked(base, reserved, where=str(path))


def _parsed(text: str) -> tuple[str, Reserved] | None:
    """The base's name and the reserved ids; None if the text is of another form."""
    try:
        content = json.loads(text)
        base_name, size = content["base"], content["size"]
        ids = {key: id_ for key, id_ in content["ids"].items() if id_ is not None}
        sentinels = tuple(content["sentinels"])
        known = content["format"] == FORMAT and isinstance(base_name, str)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    numbers = [size, *ids.values(), *sentinels]
    if not known or not all(type(n) is int and n >= 0 for n in numbers):
        return None
    return base_name, Reserved(size, ids, sentinels)


def base_tokeniser(folder: Path, name: str) -> BaseTokeniser:
    """The base tokeniser of a file: SentencePiece's, or a `tokenizer.json`."""
    if name == BYTES:
        return bytes_tokeniser()
    if Path(name).name != name:
        raise UsageError(f"{folder}: the tokeniser {name!r} is in another folder.")
    read = (
        tokenizer_json_tokeniser if name.endswith(".json") else sentencepiece_tokeniser
    )
    return read(folder / name)


def checked(base: BaseTokeniser, reserved: Reserved, *, where: str) -> Reserved:
    """The reserved ids with their layout, if they fit the tokeniser.

    Raises:
      UsageError: an id is not below the size, or the tokeniser has more ids.
    """
    size = reserved.size
    if base.size > size:
        raise UsageError(
            f"{where}: the tokeniser has {base.size} ids and the model's table {size} "
            "rows; give the tokeniser that the model was trained with."
        )
    named = {
        **reserved.ids,
        **{f"sentinels[{k}]": i for k, i in enumerate(reserved.sentinels)},
    }
    for key, id_ in named.items():
        if id_ >= size:
            raise UsageError(
                f"{where}: {key} is {id_}, and the model's table has {size} rows."
            )
    if reserved == appended(base):  # a vocabulary of our own, come back
        return reserved
    layout = f"{sorted(reserved.ids.items())} {reserved.sentinels} of {size}"
    return reserved._replace(layout=layout)


def as_json(base_name: str, reserved: Reserved) -> Mapping[str, Any]:
    """The content of a `vocabulary.json`."""
    return {
        "format": FORMAT,
        "base": base_name,
        "size": reserved.size,
        "ids": {key: reserved.ids.get(key) for key in KEYS},
        "sentinels": list(reserved.sentinels),
    }
