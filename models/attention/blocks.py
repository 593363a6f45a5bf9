"""What one program of the TPU kernel multiplies, and which blocks it walks over."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Int32

LANES = 128
"""Slots along which a TPU computes at once: a block is a multiple of it."""

_SIZES = (512, 256, LANES)
_QUERIES = 1024  # of all heads of a group in one program, about
_SCORES = 2**18  # of one program at a time: 1 MiB in each of some five arrays


class Blocks(NamedTuple):
    """Slots of queries and of keys that one program multiplies."""

    queries: int
    keys: int


def blocks_for(*, heads_a_group: int, slots: int, memory: int) -> Blocks:
    """The largest blocks whose scores fit into a program.

    With long rows: 512 × 512 where every head has keys of its own, 256 × 256 where 4
    share them, 128 × 256 for 8, 128 × 128 from 16 on.

    Args:
      heads_a_group: R, query heads that share keys.
      slots: T.
      memory: S.
    """

    def largest(most: int, slots: int) -> int:
        return next((n for n in _SIZES if n <= most and n < slots + LANES), LANES)

    queries = largest(_QUERIES // heads_a_group, slots)
    return Blocks(queries, largest(_SCORES // (heads_a_group * queries), memory))


class Walk(NamedTuple):
    """Which blocks of keys each block of queries sees, and by which each is seen.

    Int32 over all (row, block), flat, since it goes to scalar memory. The queries of
    block i of row b see no key outside the blocks [first[b, i], last[b, i]). The keys
    of block j are seen by no query outside [seen_first[b, j], seen_last[b, j]). Empty
    ranges lie at the end.
    """

    first: Int32[jax.Array, " Bi"]
    last: Int32[jax.Array, " Bi"]
    seen_first: Int32[jax.Array, " Bj"]
    seen_last: Int32[jax.Array, " Bj"]


def walk_of(
    intervals: Int32[jax.Array, "B 2 T"], *, blocks: Blocks, memory: int
) -> Walk:
    """The walk over all intervals; an empty one sees nothing, wherever it stands.

    Args:
      intervals: from and to, inside [0, S]; T is a multiple of `blocks.queries`.
      blocks: sizes.
      memory: S, a multiple of `blocks.keys`.
    """
    batch, _, slots = intervals.shape
    queries, keys = slots // blocks.queries, memory // blocks.keys
    start, stop = intervals.reshape(batch, 2, queries, -1).swapaxes(0, 1)  # [B i t]
    empty = start >= stop
    first = jnp.where(empty, memory, start).min(-1) // blocks.keys
    last = -(-jnp.where(empty, 0, stop).max(-1) // blocks.keys)
    query, key = jnp.arange(queries), jnp.arange(keys)[:, None]
    sees = (first[:, None] <= key) & (key < last[:, None])  # [B j i]
    seen_first = jnp.where(sees, query, queries).min(-1)
    seen_last = jnp.where(sees, query + 1, 0).max(-1)
    ends = (last, first), (seen_last, seen_first)
    last, seen_last = (jnp.maximum(*both) for both in ends)
    return Walk(*(x.reshape(-1) for x in (first, last, seen_first, seen_last)))
