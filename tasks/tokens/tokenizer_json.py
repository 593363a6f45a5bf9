"""The base tokeniser of a `tokenizer.json`, through the library `tokenizers`.

It is an optional dependency (`pip install sightline[interop]`): the vocabularies of
Llama 3 and others are in no other form.
"""

import functools
import importlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...objectives.errors import UsageError
from .base_tokeniser import BaseTokeniser

_SPACE = "▁"
_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


def tokenizer_json_tokeniser(path: Path) -> BaseTokeniser:
    """The tokeniser of a `tokenizer.json`.

    Its special tokens are no text: raw text that spells one is tokenised as any other.

    Raises:
      UsageError: there is no such file, the library is not installed or too old for
        the file, or the file is damaged.
    """
    if not path.is_file():
        raise UsageError(f"no vocabulary file at {str(path)!r}; check the path.")
    try:
        library = importlib.import_module("tokenizers")
    except ImportError as error:
        raise UsageError(
            f"{path} is read by the library tokenizers, which is not installed: "
            "pip install tokenizers."
        ) from error
    content = path.read_bytes()
    try:
        tokenizer = library.Tokenizer.from_buffer(content)
        description = json.loads(content)
    except Exception as error:  # the library raises plain Exceptions
        raise UsageError(
            f"{str(path)!r} is no tokenizer.json, or a damaged one: "
            f"{str(error).splitlines()[0][:120]}; copy it again."
        ) from error
    tokenizer.encode_special_tokens = True
    tokenizer.no_padding()
    tokenizer.no_truncation()
    pieces = {id_: piece for piece, id_ in tokenizer.get_vocab(True).items()}
    special = {i for i, t in tokenizer.get_added_tokens_decoder().items() if t.special}
    unk = _unk(description, tokenizer)
    text_ids = [i for i in sorted(pieces) if i not in special and i != unk]
    instead = next(iter(text_ids), 0) if unk is None else unk
    spelling = _bytes_of_levels if _is_byte_level(description) else _bytes_of_piece

    def spell(id_: int) -> str:
        try:
            return spelling(pieces.get(id_, "")).decode()  # ids may have gaps
        except UnicodeDecodeError:
            return ""

    def encode(text: str) -> list[int]:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        # Where a special token is a piece too, as T5's "</s>", text can spell it.
        return [instead if i in special and i != unk else i for i in ids]

    def decode(ids: Sequence[int], follows: bool) -> str:
        text = tokenizer.decode(list(ids), skip_special_tokens=False)
        spaced = follows and pieces.get(ids[0], "").startswith(_SPACE)
        return f" {text}" if spaced and not text.startswith(" ") else text

    return BaseTokeniser(
        size=max(pieces) + 1,
        control={},
        unk=unk,
        text_ids=text_ids,
        spell=spell,
        first_byte=lambda id_: (spelling(pieces[id_]) or b"\0")[0],
        encode=encode,
        decode=decode,
        content=content,
    )


def _unk(description: dict[str, Any], tokenizer: Any) -> int | None:
    model = description.get("model", {})
    if isinstance(model.get("unk_id"), int):
        return model["unk_id"]
    return tokenizer.token_to_id(model["unk_token"]) if model.get("unk_token") else None


def _is_byte_level(description: dict[str, Any]) -> bool:
    """Whether its pieces are spelt in GPT-2's letters for bytes."""
    parts = ("pre_tokenizer", "decoder")
    return any('"ByteLevel"' in json.dumps(description.get(p)) for p in parts)


def _bytes_of_piece(piece: str) -> bytes:
    if match := _BYTE.fullmatch(piece):
        return bytes([int(match[1], 16)])
    return piece.replace(_SPACE, " ").encode()


def _bytes_of_levels(piece: str) -> bytes:
    letters = byte_letters()
    if not all(letter in letters for letter in piece):
        return piece.encode()  # an added token
    return bytes(letters[letter] for letter in piece)


@functools.cache
def byte_letters() -> dict[str, int]:
    """The letter that GPT-2's byte-level pieces write for each byte (its `encoder.py`).

    Printable bytes of Latin-1 stand for themselves, the others for letters from
    U+0100 on.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = {chr(byte): byte for byte in printable}
    return letters | {chr(0x100 + n): byte for n, byte in enumerate(others)}
