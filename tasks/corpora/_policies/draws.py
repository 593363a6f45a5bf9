"""Random choices that record their own entropy."""

import math
from collections.abc import Sequence
from typing import Literal, TypeVar

import numpy as np

Account = Literal["values", "words", "templates", "order"]
"""What a choice decides: a fact's value; which subjects, departments and other words
fill the slots; the wording of a sentence; how much there is of everything, and where.
"""

ACCOUNTS: tuple[Account, ...] = ("values", "words", "templates", "order")

_T = TypeVar("_T")
_GRAIN = 1 << 20
"""Chances are multiples of one over this."""


class Draws:
    """Draws from a generator; sums, by account, `-log2` of the chance of each draw.

    Attributes:
      bits: by account, the information in the draws so far. Its mean over documents
        is the entropy of the choices.
    """

    def __init__(self, rng: np.random.Generator):
        self._rng = rng
        self.bits: dict[Account, float] = dict.fromkeys(ACCOUNTS, 0.0)

    def between(self, fewest: int, most: int, account: Account) -> int:
        """A whole number from `fewest` to `most`, uniformly."""
        self.bits[account] += math.log2(most - fewest + 1)
        return int(self._rng.integers(fewest, most + 1))

    def pick(self, options: Sequence[_T], account: Account) -> _T:
        """One of the options, uniformly."""
        return options[self.between(0, len(options) - 1, account)]

    def sample(self, options: Sequence[_T], size: int, account: Account) -> list[_T]:
        """`size` different options in random order, uniformly."""
        count = len(options)
        self.bits[account] += math.log2(math.perm(count, size))
        return [options[i] for i in self._rng.permutation(count)[:size].tolist()]

    def subset(self, options: Sequence[_T], size: int, account: Account) -> list[_T]:
        """`size` different options in their own order, each subset equally likely."""
        count = len(options)
        self.bits[account] += math.log2(math.comb(count, size))
        chosen = self._rng.permutation(count)[:size].tolist()
        return [options[i] for i in sorted(chosen)]

    def chance(self, share: float, account: Account) -> bool:
        """True with this chance, rounded to a multiple of 2**-20."""
        parts = round(share * _GRAIN)
        outcome = int(self._rng.integers(_GRAIN)) < parts
        self.bits[account] -= math.log2((parts if outcome else _GRAIN - parts) / _GRAIN)
        return outcome
