"""Seeded permutations of numbers, computed place by place for whole arrays.

A Feistel network of eight rounds permutes the numbers below the next power of four;
what falls outside the range is permuted again until it is inside (cycle walking; Black
and Rogaway 2002). Its round function is the finaliser of SplitMix64 (Steele, Lea and
Flood 2014). Grain's `index_shuffle` does the same one number at a time, which for short
rows takes half as long as reading them; and an order that runs resume by must not
change with a library.
"""

import numpy as np
from jaxtyping import Int64, UInt64

ROUNDS = 8
"""With four, a permutation of seven numbers is biased measurably."""


def permuted(
    places: Int64[np.ndarray, " n"],
    sizes: Int64[np.ndarray, " n"],
    keys: UInt64[np.ndarray, "n rounds"],
) -> Int64[np.ndarray, " n"]:
    """Where each place comes in a permutation of its own size and keys.

    Args:
      places: within [0, size) of each.
      sizes: how many numbers are permuted.
      keys: of the permutation, one for each round.
    """
    bits = np.frexp(np.maximum(1, sizes - 1).astype(np.float64))[1]
    half = ((bits + 1) // 2).astype(np.uint64)
    limit = sizes.astype(np.uint64)
    found = _network(places.astype(np.uint64), half, keys)
    while (outside := np.flatnonzero(found >= limit)).size:
        found[outside] = _network(found[outside], half[outside], keys[outside])
    return found.astype(np.int64)


def _network(
    values: UInt64[np.ndarray, " n"],
    half: UInt64[np.ndarray, " n"],
    keys: UInt64[np.ndarray, "n rounds"],
) -> UInt64[np.ndarray, " n"]:
    """Permutes numbers of `2 · half` bits."""
    mask = (np.uint64(1) << half) - np.uint64(1)
    left, right = values >> half, values & mask
    for number in range(ROUNDS):
        left, right = right, left ^ (_mixed(right + keys[:, number]) & mask)
    return (left << half) | right


def _mixed(word: UInt64[np.ndarray, " n"]) -> UInt64[np.ndarray, " n"]:
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))
