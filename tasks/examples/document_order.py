"""The order in which an epoch reads documents, and how hosts divide them."""

import functools

import numpy as np
from jaxtyping import Int64

MOST_PERMUTED = 2**22
"""Most documents whose order is drawn as a whole: 32 MiB, 0.1 s."""

_ROUNDS = 8


class DocumentOrder:
    """A permutation of an epoch's documents, made from a seed alone.

    Args:
      size: number of documents.
      seed: words of the seed; one for each task and epoch.
    """

    def __init__(self, size: int, seed: tuple[int, ...]):
        self._size = size
        self._seed = seed

    def __getitem__(self, places: np.ndarray) -> Int64[np.ndarray, " n"]:
        """The documents at some places of the order."""
        if self._size <= MOST_PERMUTED:
            return self._whole[places]
        return feistel(np.asarray(places, np.uint64), self._size, self._seed)

    @functools.cached_property
    def _whole(self) -> Int64[np.ndarray, " size"]:
        return np.random.default_rng(self._seed).permutation(self._size)


def feistel(
    places: np.ndarray, size: int, seed: tuple[int, ...]
) -> Int64[np.ndarray, " n"]:
    """Computes a permutation of [0, size) place by place, in constant memory.

    A Feistel network over the smallest even number of bits that holds `size`, applied
    again wherever it leads outside (Black & Rogaway 2002, "cycle walking").

    Args:
      places: within [0, size).
      size: of what is permuted; far larger than 2, or few permutations are reached.
      seed: words that choose the permutation.
    """
    half = np.uint64(max(1, -(-(size - 1).bit_length() // 2)))
    low = np.uint64((1 << int(half)) - 1)
    keys = np.random.default_rng(seed).integers(2**64, size=_ROUNDS, dtype=np.uint64)
    found = places.astype(np.uint64)
    outside = np.ones(len(found), bool)
    while outside.any():
        left, right = found[outside] >> half, found[outside] & low
        for key in keys:
            left, right = right, left ^ (_mixed(right ^ key) & low)
        found[outside] = (left << half) | right
        outside = found >= size
    return found.astype(np.int64)


def _mixed(words: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele et al. 2014)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
