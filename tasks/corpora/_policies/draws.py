"""Random choices that keep account of their own entropy."""

import math
from collections.abc import Sequence
from typing import Literal, TypeVar

import numpy as np

Account = Literal["values", "words", "templates", "order"]
"""What a choice settles: a fact's value; which subjects, departments and other words
fill the slots; how a sentence is worded; how much there is of what, and where it is.
"""

ACCOUNTS: tuple[Account, ...] = ("values", "words", "templates", "order")

_T = TypeVar("_T")
_GRAIN = 1 << 20
"""A chance is a whole number of these parts."""


class Draws:
    """Draws from a generator; adds up, by account, `-log2` of the chance of each.

    Attributes:
      bits: of each account, the information in what was drawn so far. Its mean over
        documents is the entropy of the choices.
    """

    def __init__(self, rng: np.random.Generator):
        self._rng = rng
        self.bits: dict[Account, float] = dict.fromkeys(ACCOUNTS, 0.0)

    def between(self, fewest: int, most: int, account: Account) -> int:
        """A whole number from `fewest` to `most`, each alike."""
        self.bits[account] += math.log2(most - fewest + 1)
        return int(self._rng.integers(fewest, most + 1))

    def pick(self, options: Sequence[_T], account: Account) -> _T:
        """One of the options, each alike."""
        return options[self.between(0, len(options) - 1, account)]

    def sample(self, options: Sequence[_T], size: int, account: Account) -> list[_T]:
        """`size` different options in random order, each order alike."""
        count = len(options)
        self.bits[account] += math.log2(math.perm(count, size))
        return [options[i] for i in self._rng.permutation(count)[:size].tolist()]

    def subset(self, options: Sequence[_T], size: int, account: Account) -> list[_T]:
        """`size` different options in their own order, each subset alike."""
        count = len(options)
        self.bits[account] += math.log2(math.comb(count, size))
        chosen = self._rng.permutation(count)[:size].tolist()
        return [options[i] for i in sorted(chosen)]

    def chance(self, share: float, account: Account) -> bool:
        """True at this share, which is rounded to a multiple of 2**-20."""
        parts = round(share * _GRAIN)
        drawn = int(self._rng.integers(_GRAIN)) < parts
        self.bits[account] -= math.log2((parts if drawn else _GRAIN - parts) / _GRAIN)
        return drawn
