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
from collections.abc import Iterable
from pathlib import Path
from typing import SupportsInt

import numpy as np
from jaxtyping import Int32

from ...objectives.errors import UsageError, nearest
from .base_tokeniser import BaseTokeniser, bytes_tokeniser, sentencepiece_tokeniser
from .model_vocabulary import read_model_vocabulary
from .reserved import SENTINELS, Reserved, appended, special_ids

__all__ = ["SENTINELS", "Vocabulary", "names", "vocabulary"]

_SHIPPED = Path(__file__).parent / "vocabularies"


class Vocabulary:
    """Text to ids and back, and the reserved ids.

    Attributes:
      name: of a shipped vocabulary, or the path of a model file.
      special_ids: the reserved ids, and those that raw text can hold.
      size: number of ids: rows of the model's table.
      base: the tokeniser.
      reserved: the reserved ids by name.
      digest: sha256 of the base tokeniser and the layout, in hexadecimal.
    """

    def __init__(
        self, name: str, base: BaseTokeniser, reserved: Reserved | None = None
    ):
        """Reserved ids that are not given are appended to the tokeniser's."""
        reserved = reserved or appended(base)
        self.name = name
        self.base = base
        self.reserved = reserved
        self.size = reserved.size
        self.special_ids = special_ids(base, reserved)
        self._names: dict[int, str] = {}
        for key, id_ in reserved.ids.items():
            # Of two keys with one id (T5's pad and bos) the first names it.
            self._names.setdefault(id_, f"<{key}>")
        self._names |= {i: f"<sentinel_{k}>" for k, i in enumerate(reserved.sentinels)}
        layout = reserved.layout or f"{sorted(self._names.items())} of {self.size}"
        self.digest = hashlib.sha256(base.content + layout.encode()).hexdigest()
        taken = {*reserved.ids.values(), *reserved.sentinels}
        self._taken_pieces = sorted(taken & set(base.text_ids))

    @property
    def unk(self) -> int | None:
        """The base tokeniser's unknown id; None if it can spell everything."""
        return self.base.unk

    def encode(self, text: str) -> Int32[np.ndarray, " N"]:
        """The ids of raw text; none of them is ever reserved.

        mT5 spells "<extra_id_0>" as its sentinel; here such text is unknown, or the
        first text id if none is unknown.
        """
        ids = np.asarray(self.base.encode(text), np.int32)
        if self._taken_pieces:
            instead = self.special_ids.text[0] if self.unk is None else self.unk
            ids[np.isin(ids, self._taken_pieces)] = instead
        return ids

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
                parts.append(self.base.decode(list(run), bool(parts)))
        return "".join(parts)

    def spell(self, id_: int) -> str:
        """The text of one id, with a space where a word begins.

        "" for a part of a character; a reserved id shows as its name.
        """
        if self.is_reserved(id_) or id_ == self.unk:
            return self.decode([id_])
        return self.base.spell(id_)

    def is_reserved(self, id_: int) -> bool:
        """Whether an id has a special meaning, so that raw text never holds it."""
        return id_ in self._names or id_ >= self.base.size


def names() -> tuple[str, ...]:
    """The vocabularies that need no path: the shipped ones, and bytes."""
    return tuple(sorted([*(path.stem for path in _SHIPPED.glob("*.model")), "bytes"]))


@functools.cache
def vocabulary(name: str) -> Vocabulary:
    """The vocabulary of a name (`names()`), or of a file.

    A SentencePiece `.model` file's own pad, bos and eos are used if they are present,
    distinct control symbols; missing ones are appended. A `vocabulary.json` came with
    a model (`model_vocabulary`), and has the ids that it says.

    Raises:
      ValueError: no such name, no such file, or a file that is no model.
    """
    if name == "bytes":
        return Vocabulary(name, bytes_tokeniser())
    if name.endswith(".json"):
        return Vocabulary(name, *read_model_vocabulary(Path(name).expanduser()))
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
