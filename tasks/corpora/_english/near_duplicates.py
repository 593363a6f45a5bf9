"""Finds paragraphs most of whose runs of five words were seen before."""

import functools
import hashlib
import re

import numpy as np
from jaxtyping import UInt64

SHINGLE = 5
"""Words of a run."""

SHARE = 0.5
"""Share of a paragraph's runs seen before from which it is a near-duplicate."""

_WORD = re.compile(r"\w+")


class Seen:
    """Runs of words seen so far, as bits of a table.

    A run is taken for seen when its bit is set: at 20 million words and 2³⁰ bits that
    is wrong for 2 % of new runs, far from `SHARE`.

    Args:
      bits: of the table, as a power of two.
    """

    def __init__(self, bits: int = 30):
        self._table = np.zeros(1 << (bits - 3), np.uint8)
        self._shift = np.uint64(64 - bits)

    def share(self, runs: UInt64[np.ndarray, " S"]) -> float:
        """The share of a paragraph's runs that were seen; 0 if it has none."""
        if not runs.size:
            return 0.0
        places = runs >> self._shift
        bits = (places & np.uint64(7)).astype(np.uint8)
        return float((self._table[places >> np.uint64(3)] >> bits & 1).mean())

    def add(self, runs: UInt64[np.ndarray, " S"]) -> None:
        """Remembers a paragraph's runs."""
        places = runs >> self._shift
        bits = np.left_shift(np.uint8(1), (places & np.uint64(7)).astype(np.uint8))
        np.bitwise_or.at(self._table, places >> np.uint64(3), bits)


def shingles(text: str, words: int) -> UInt64[np.ndarray, " S"]:
    """A hash of every run of so many words; case and punctuation do not count."""
    ids = np.array([_word(word) for word in _WORD.findall(text.lower())], np.uint64)
    count = ids.size - words + 1
    if count < 1:
        return np.zeros(0, np.uint64)
    total = np.zeros(count, np.uint64)
    for offset in range(words):
        total = total * np.uint64(0x9E3779B97F4A7C15) + ids[offset : offset + count]
    total ^= total >> np.uint64(29)
    total *= np.uint64(0xBF58476D1CE4E5B9)
    return total ^ total >> np.uint64(32)


@functools.lru_cache(maxsize=2**19)
def _word(word: str) -> int:
    digest = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little")
