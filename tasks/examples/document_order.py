"""The order in which an epoch reads documents, and how hosts divide them."""

import functools

import numpy as np
from jaxtyping import Int64, UInt64

from .permutation import ROUNDS, permuted

MOST_PERMUTED = 2**22
"""Most documents whose order is drawn as a whole: 32 MiB, 0.1 s."""


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
        places = np.asarray(places, np.int64)
        rounds = np.broadcast_to(self._keys, (len(places), ROUNDS))
        return permuted(places, np.full(len(places), self._size), rounds)

    @functools.cached_property
    def _keys(self) -> UInt64[np.ndarray, " rounds"]:
        rng = np.random.default_rng(self._seed)
        return rng.integers(2**64, size=ROUNDS, dtype=np.uint64)

    @functools.cached_property
    def _whole(self) -> Int64[np.ndarray, " size"]:
        return np.random.default_rng(self._seed).permutation(self._size)
