"""The reserved ids of a vocabulary: where they stand, and which ids are text."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32

from ...objectives.special_ids import LACKING, MODES, PartialIds, SpecialIds
from .base_tokeniser import BaseTokeniser

SENTINELS = 100
_MULTIPLE = 128
FILL = ("fill_prefix", "fill_suffix", "fill_middle")
MODE_KEYS = tuple(f"mode_{mode}" for mode in MODES)
_APPENDED = ("bos", "mask", "sep", "label_0", "label_1", *MODE_KEYS, *FILL)
KEYS = ("pad", "eos", *_APPENDED)
"""The names of the reserved ids, without the sentinels."""

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


class Reserved(NamedTuple):
    """The reserved ids of a vocabulary.

    Attributes:
      size: number of ids in all, reserved, text and unused.
      ids: by name, of `KEYS`; those that are lacking are left out.
      sentinels: sentinel k is the k-th; () if they are lacking.
      layout: identifies all of this; "" for that of `appended`.
    """

    size: int
    ids: Mapping[str, int]
    sentinels: tuple[int, ...]
    layout: str = ""

    @property
    def lacking(self) -> list[str]:
        """The names of what is lacking; the pad, which no model is shown, is not."""
        names = [key for key in KEYS if key not in self.ids and key != "pad"]
        return names if self.sentinels else [*names, "sentinels"]


def appended(base: BaseTokeniser) -> Reserved:
    """Reserved ids behind those of the base tokeniser, in a multiple of 128."""
    base_ids = {key: id_ for key, id_ in base.control.items() if id_ is not None}
    missing = [key for key in ("pad", "eos") if key not in base_ids]
    new = [key for key in (*_APPENDED, *missing) if key not in base_ids]
    ids = {**base_ids, **{key: base.size + n for n, key in enumerate(new)}}
    used = base.size + len(new) + SENTINELS
    size = -(-used // _MULTIPLE) * _MULTIPLE
    return Reserved(size, ids, tuple(size - 1 - k for k in range(SENTINELS)))


def completed(reserved: Reserved) -> Reserved:
    """The same with what is lacking behind the last id, in a multiple of 128."""
    new = [key for key in KEYS if key not in reserved.ids]
    ids = {key: reserved.size + n for n, key in enumerate(new)}
    used = reserved.size + len(new) + (0 if reserved.sentinels else SENTINELS)
    size = -(-used // _MULTIPLE) * _MULTIPLE if used > reserved.size else reserved.size
    last = tuple(size - 1 - k for k in range(SENTINELS))
    sentinels = reserved.sentinels or last
    return Reserved(size, {**reserved.ids, **ids}, sentinels)


def special_ids(base: BaseTokeniser, reserved: Reserved) -> SpecialIds:
    """The ids as objectives see them."""
    taken = {*reserved.ids.values(), *reserved.sentinels}
    text = [id_ for id_ in base.text_ids if id_ not in taken]

    def one(key: str) -> int:
        return reserved.ids.get(key, LACKING)

    def group(*keys: str) -> tuple[int, ...]:
        return tuple(reserved.ids[key] for key in keys if key in reserved.ids)

    def those(condition: Callable[[int], bool]) -> Int32[np.ndarray, " ids"]:
        return np.array([id_ for id_ in text if condition(id_)], np.int32)

    kind = PartialIds if reserved.layout else SpecialIds
    return kind(
        pad=reserved.ids.get("pad", 0),
        bos=one("bos"),
        eos=one("eos"),
        mask=one("mask"),
        sep=one("sep"),
        labels=group("label_0", "label_1"),  # pyright: ignore[reportArgumentType]
        modes=group(*MODE_KEYS),
        fill=group(*FILL),  # pyright: ignore[reportArgumentType]
        sentinels=reserved.sentinels,
        text=np.asarray(text, np.int32),
        word_starts=those(lambda id_: begins_word(base, id_)),
        word_ends=those(lambda id_: base.spell(id_)[1:][-1:].isspace()),
        sentence_ends=those(
            lambda id_: base.spell(id_).rstrip(_CLOSERS).endswith(_STOPS)
        ),
    )


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
