"""A vocabulary: a base tokeniser, and reserved ids that raw text never produces.

Layout of the ids of `vocabulary("python_docs")`, 1,152 in all:

    0 … 1023       of the base tokeniser; its pad, eos and unk are 0, 1, 2
    1024 … 1034    bos, mask, sep, two labels, three modes, three of fill-in-the-middle
    1035 … 1051    unused: they pad the total to a multiple of 128, to shard well
    1052 … 1151    100 sentinels; sentinel k is the last id minus k, as in T5
"""

import functools
import hashlib
import itertools
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import SupportsInt

import numpy as np
from jaxtyping import Int32

from ...objectives.errors import UsageError, nearest
from ...objectives.special_ids import MODES, SpecialIds
from .base_tokeniser import BaseTokeniser, bytes_tokeniser, sentencepiece_tokeniser

SENTINELS = 100
_FILL = ("fill_prefix", "fill_suffix", "fill_middle")
_MULTIPLE = 128
_SHIPPED = Path(__file__).parent / "vocabularies"
_MODES = tuple(f"mode_{mode}" for mode in MODES)
_APPENDED = ("bos", "mask", "sep", "label_0", "label_1", *_MODES, *_FILL)
_CLOSERS = "\"'”’)]」』）"
_STOPS = (".", "!", "?", "。", "！", "？", "．", "｡", "…")

_UNSPACED = (
    range(0x0E00, 0x0F00),  # Thai, Lao
    range(0x1000, 0x10A0),  # Myanmar
    range(0x1780, 0x1800),  # Khmer
    range(0x3000, 0xA000),  # CJK symbols, kana, ideographs
    range(0xF900, 0xFB00),  # compatibility ideographs
    range(0xFF00, 0xFFF0),  # full-width forms
    range(0x20000, 0x40000),  # further ideographs
)
"""Characters of scripts that put no space between words (Unicode blocks)."""

_UNSPACED_BYTES = range(0xE3, 0xEA)
"""First bytes, in UTF-8, of U+3000 to U+9FFF."""


class Vocabulary:
    """Text to ids and back, and the reserved ids.

    Attributes:
      name: of a shipped vocabulary, or the path of a model file.
      special_ids: the reserved ids, and those that raw text can hold.
      size: number of ids, a multiple of 128.
      digest: sha256 of the base tokeniser and the layout, in hexadecimal.
    """

    def __init__(self, name: str, base: BaseTokeniser):
        self.name = name
        self._base = base
        base_ids = {key: id_ for key, id_ in base.control.items() if id_ is not None}
        missing = [key for key in ("pad", "eos") if key not in base_ids]
        appended = [key for key in (*_APPENDED, *missing) if key not in base_ids]
        ids = {**base_ids, **{key: base.size + n for n, key in enumerate(appended)}}
        used = base.size + len(appended) + SENTINELS
        self.size = -(-used // _MULTIPLE) * _MULTIPLE
        sentinels = tuple(self.size - 1 - k for k in range(SENTINELS))
        self.special_ids = SpecialIds(
            pad=ids["pad"],
            bos=ids["bos"],
            eos=ids["eos"],
            mask=ids["mask"],
            sep=ids["sep"],
            labels=(ids["label_0"], ids["label_1"]),
            modes=tuple(ids[key] for key in _MODES),
            fill=(ids[_FILL[0]], ids[_FILL[1]], ids[_FILL[2]]),
            sentinels=sentinels,
            text=np.asarray(base.text_ids, np.int32),
            word_starts=_text_ids(base, lambda id_: begins_word(base, id_)),
            word_ends=_text_ids(base, lambda id_: base.spell(id_)[1:][-1:].isspace()),
            sentence_ends=_text_ids(
                base,
                lambda id_: base.spell(id_).rstrip(_CLOSERS).endswith(_STOPS),
            ),
        )
        self._names = {id_: f"<{key}>" for key, id_ in ids.items()}
        self._names |= {id_: f"<sentinel_{k}>" for k, id_ in enumerate(sentinels)}
        layout = f"{sorted(self._names.items())} of {self.size}"
        self.digest = hashlib.sha256(base.content + layout.encode()).hexdigest()

    @property
    def unk(self) -> int | None:
        """The base tokeniser's unknown id; None if it can spell everything."""
        return self._base.unk

    def encode(self, text: str) -> Int32[np.ndarray, " N"]:
        """The ids of raw text; none of them is ever reserved."""
        return np.asarray(self._base.encode(text), np.int32)

    def encode_document(self, text: str) -> Int32[np.ndarray, " N"]:
        """The ids of a whole document, with EOS at its end."""
        return np.append(self.encode(text), np.int32(self.special_ids.eos))

    def decode(self, ids: Iterable[SupportsInt]) -> str:
        """The text of ids; a reserved id shows as its name, such as `<mask>`.

        Raises:
          ValueError: an id is out of range.
        """
        id_list = [int(i) for i in ids]
        for bad in (i for i in id_list if not 0 <= i < self.size):
            raise UsageError(
                f"id {bad} is not in vocabulary {self.name!r}, whose ids are "
                f"0 to {self.size - 1}."
            )
        parts = []
        for reserved, run in itertools.groupby(id_list, key=self.is_reserved):
            if reserved:
                parts += [self._names.get(i, f"<unused_{i}>") for i in run]
            else:
                parts.append(self._base.decode(list(run), bool(parts)))
        return "".join(parts)

    def spell(self, id_: int) -> str:
        """The text of one id, with a space where a word begins.

        "" for a part of a character; a reserved id shows as its name.
        """
        if self.is_reserved(id_) or id_ == self.unk:
            return self.decode([id_])
        return self._base.spell(id_)

    def is_reserved(self, id_: int) -> bool:
        """Whether an id has a special meaning, so that raw text never holds it."""
        return id_ in self._names or id_ >= self._base.size


def _text_ids(
    base: BaseTokeniser, condition: Callable[[int], bool]
) -> Int32[np.ndarray, " ids"]:
    """The text ids that meet a condition."""
    return np.array([i for i in base.text_ids if condition(i)], np.int32)


def begins_word(base: BaseTokeniser, id_: int) -> bool:
    """Whether a word begins at an id: a space, or a character of an unspaced script.

    Each character of such a script (Chinese, Japanese, Thai and the like) counts as a
    word; if a vocabulary spells it in bytes, its first byte does.
    """
    text = base.spell(id_)
    if not text:
        return base.first_byte(id_) in _UNSPACED_BYTES
    first = ord(text[0])
    return text[0].isspace() or any(first in block for block in _UNSPACED)


def names() -> tuple[str, ...]:
    """The vocabularies that need no path: the shipped ones, and bytes."""
    return tuple(sorted([*(path.stem for path in _SHIPPED.glob("*.model")), "bytes"]))


@functools.cache
def vocabulary(name: str) -> Vocabulary:
    """The vocabulary of a name (`names()`) or of a SentencePiece `.model` file.

    A file's own pad, bos and eos are used if they are present, distinct control
    symbols; missing ones are appended.

    Raises:
      ValueError: no such name, no such file, or a file that is no model.
    """
    if name == "bytes":
        return Vocabulary(name, bytes_tokeniser())
    if name in names():
        path = _SHIPPED / f"{name}.model"
    elif re.search(r"[/\\]|\.model$", name):
        path = Path(name).expanduser()
    else:
        raise UsageError(
            f"no vocabulary {name!r}; {nearest(name, names())} "
            "Give a file of your own by its path, ending in .model."
        )
    return Vocabulary(name, sentencepiece_tokeniser(path))
