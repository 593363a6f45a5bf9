"""The reserved ids of a vocabulary, as objectives see them."""

from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Int32

from .errors import UsageError

Mode = Literal["R", "S", "X"]

MODES: tuple[Mode, ...] = ("R", "S", "X")
"""UL2's paradigms (Tay et al. 2022, §3.1.2): regular, sequential, extreme denoising."""


class SpecialIds(NamedTuple):
    """Ids with a meaning of their own, all distinct, none found in raw text.

    Attributes:
      pad: fills what is left of a row; never part of an Example.
      bos: held by the slot from which the first target is asked.
      eos: stands at the true end of a document and nowhere else in it.
      mask: stands for a token that is to be predicted in place.
      sep: stands between the two texts of a pair.
      labels: the two answers about a pair, (does not continue, continues).
      modes: one id a denoising mode, in the order of `MODES`.
      fill: stand before the prefix, the suffix and the middle of a text to be filled.
      sentinels: stand for dropped spans; the k-th span takes `sentinels[k]`.
      text: ids that raw text can hold, ascending; random tokens are drawn from
        here and nowhere else.
      word_starts: of `text`, those that begin a word; ascending.
      sentence_ends: of `text`, those that a sentence can end in; ascending.
      word_ends: of `text`, those that end a word, so that the next token begins one
        (vocabularies that write the space behind a word); ascending.
    """

    pad: int
    bos: int
    eos: int
    mask: int
    sep: int
    labels: tuple[int, int]
    modes: tuple[int, ...]
    fill: tuple[int, int, int]
    sentinels: tuple[int, ...]
    text: Int32[np.ndarray, " ids"]
    word_starts: Int32[np.ndarray, " starts"]
    sentence_ends: Int32[np.ndarray, " ends"]
    word_ends: Int32[np.ndarray, " word_ends"] = np.zeros(0, np.int32)

    def mode(self, name: Mode) -> int:
        """The id of a denoising mode."""
        return self.modes[MODES.index(name)]


LACKING = -1
"""What stands for a single id that a vocabulary lacks; a group that it lacks is ()."""

_SINGLE = {
    "bos": "the beginning of a text",
    "eos": "the end of a text",
    "mask": "a masked token",
    "sep": "the border of a pair of texts",
}
_GROUPS = {
    "labels": "the label of a pair",
    "modes": "a denoising mode",
    "fill": "filling in the middle",
    "sentinels": "a dropped span",
}


class MissingIdError(UsageError):
    """An objective needs a reserved id that the vocabulary lacks."""


class PartialIds(SpecialIds):
    """The reserved ids of a model from elsewhere, which may lack some.

    Asking for one that is lacking is an error, so that no other id stands in for it.
    As a tuple it holds `LACKING` and () in their places. Here bos may be the same id as
    pad (T5 starts its decoder so) or eos, if the model was trained so. No model is ever
    shown a pad, so without one of its own it is 0.
    """

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        single, group = _SINGLE.get(name), _GROUPS.get(name)
        lacking = (single and value == LACKING) or (group and not value)
        if lacking:
            raise MissingIdError(
                f"the vocabulary has no id for {single or group} ({name}): it came "
                "with a model that was trained without one. Leave out what needs it, "
                "or import the model again with --add_reserved_ids, which adds rows "
                "to its table."
            )
        return value


def reserved_ids(ids: SpecialIds) -> dict[str, tuple[int, ...]]:
    """The reserved ids that there are, by field; () where one is lacking."""
    values = ids._asdict()
    singles = {n: () if values[n] == LACKING else (values[n],) for n in _SINGLE}
    return {**singles, **{name: tuple(values[name]) for name in _GROUPS}}
