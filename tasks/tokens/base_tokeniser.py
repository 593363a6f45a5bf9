"""The base tokenisers of a vocabulary: a SentencePiece model, or bytes."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import sentencepiece

from ...objectives.errors import UsageError

_SPACE = "▁"  # how SentencePiece writes a space
_BYTE = re.compile(r"<0x[0-9A-Fa-f]{2}>")


class BaseTokeniser(NamedTuple):
    """What a vocabulary needs from a tokeniser.

    Attributes:
      size: number of its ids.
      control: its ids of "pad", "bos" and "eos", None if it has no such control symbol;
        distinct, and never produced by `encode`.
      unk: its unknown id; None if it can spell everything.
      text_ids: ids that raw text can hold, ascending; without `unk`.
      spell: the text of a text id, with a space where a word begins; "" for a part of a
        character.
      first_byte: of the text of a text id, in UTF-8.
      encode: text to ids.
      decode: `(ids, follows)` to text; `follows` if other text precedes, so that a
        leading space counts.
      content: bytes that identify it.
    """

    size: int
    control: Mapping[str, int | None]
    unk: int | None
    text_ids: Sequence[int]
    spell: Callable[[int], str]
    first_byte: Callable[[int], int]
    encode: Callable[[str], Sequence[int]]
    decode: Callable[[Sequence[int], bool], str]
    content: bytes


def bytes_tokeniser() -> BaseTokeniser:
    """UTF-8 bytes, as in ByT5: pad 0, eos 1, an unused 2, then byte b is 3 + b."""
    return BaseTokeniser(
        size=259,
        control={"pad": 0, "eos": 1},
        unk=None,
        text_ids=range(3, 259),
        spell=lambda id_: chr(id_ - 3) if 3 <= id_ < 3 + 128 else "",
        first_byte=lambda id_: id_ - 3,
        encode=lambda text: [3 + byte for byte in text.encode()],
        decode=lambda ids, follows: bytes(i - 3 for i in ids if i > 2).decode(
            errors="replace"
        ),
        content=b"bytes",
    )


def sentencepiece_tokeniser(path: Path) -> BaseTokeniser:
    """A SentencePiece model file.

    Raises:
      ValueError: there is no such file, or it is not a SentencePiece model.
    """
    if not path.is_file():
        raise UsageError(f"no vocabulary file at {str(path)!r}; check the path.")
    content = path.read_bytes()
    model = sentencepiece.SentencePieceProcessor()
    try:
        loaded = model.LoadFromSerializedProto(content)
        sound = loaded and all(_is_sound(model, i) for i in range(model.vocab_size()))
    except (RuntimeError, UnicodeDecodeError):  # the latter from a piece
        sound = False
    if not sound or model.vocab_size() == 0:
        raise UsageError(
            f"{str(path)!r} is no SentencePiece model, or a damaged one "
            f"({len(content)} bytes); copy or train it again."
        )
    return BaseTokeniser(
        size=model.vocab_size(),
        control=_control(model),
        unk=model.unk_id(),
        text_ids=[i for i in range(model.vocab_size()) if _is_text(model, i)],
        spell=lambda id_: _spell(model, id_),
        first_byte=lambda id_: _first_byte(model, id_),
        encode=model.encode_as_ids,
        decode=lambda ids, follows: _decode(model, ids, follows),
        content=content,
    )


def _control(model: sentencepiece.SentencePieceProcessor) -> dict[str, int | None]:
    """The model's own control ids, without those that raw text can spell."""
    control: dict[str, int | None] = {}
    model_ids = {"pad": model.pad_id(), "eos": model.eos_id(), "bos": model.bos_id()}
    for key, id_ in model_ids.items():
        usable = id_ >= 0 and model.is_control(id_) and id_ not in control.values()
        control[key] = id_ if usable else None
    return control


def _is_text(model: sentencepiece.SentencePieceProcessor, id_: int) -> bool:
    special = model.is_control(id_) or model.is_unknown(id_) or model.is_unused(id_)
    return not special


def _is_sound(model: sentencepiece.SentencePieceProcessor, id_: int) -> bool:
    """Whether an id has a piece, which is spelt "<0x0A>" if it is that of a byte."""
    piece = model.id_to_piece(id_)
    return bool(_BYTE.fullmatch(piece) if model.is_byte(id_) else piece)


def _spell(model: sentencepiece.SentencePieceProcessor, id_: int) -> str:
    piece = model.id_to_piece(id_)
    if not model.is_byte(id_):
        return piece.replace(_SPACE, " ")
    byte = int(piece[3:-1], 16)  # "<0x0A>"
    return chr(byte) if byte < 128 else ""


def _first_byte(model: sentencepiece.SentencePieceProcessor, id_: int) -> int:
    piece = model.id_to_piece(id_)
    if model.is_byte(id_):
        return int(piece[3:-1], 16)
    return piece.replace(_SPACE, " ").encode()[0]


def _decode(
    model: sentencepiece.SentencePieceProcessor, ids: Sequence[int], follows: bool
) -> str:
    # A vocabulary without a piece for the space spells it in bytes.
    text = model.decode_ids(list(ids)).replace(_SPACE, " ")
    spaced = follows and model.id_to_piece(ids[0]).startswith(_SPACE)
    return f" {text}" if spaced and not text.startswith(" ") else text
