"""The reserved ids of a vocabulary, as objectives see them."""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Int32

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
