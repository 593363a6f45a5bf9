"""The reserved ids of a vocabulary, as objectives see them."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int32


class SpecialIds(NamedTuple):
    """Ids with a meaning of their own, all distinct, none found in raw text.

    Attributes:
      pad: fills what is left of a row; never part of an Example.
      bos: held by the slot from which the first target is asked.
      eos: stands at the true end of a document and nowhere else in it.
      mask: stands for a token that is to be predicted in place.
      sep: stands between the two texts of a pair.
      labels: the two answers about a pair, (does not continue, continues).
      modes: one id a denoising mode (UL2's R, S, X).
      sentinels: stand for dropped spans; the k-th span takes `sentinels[k]`.
      text: ids that raw text can hold, ascending; random tokens are drawn from
        here and nowhere else.
    """

    pad: int
    bos: int
    eos: int
    mask: int
    sep: int
    labels: tuple[int, int]
    modes: tuple[int, ...]
    sentinels: tuple[int, ...]
    text: Int32[np.ndarray, " ids"]
