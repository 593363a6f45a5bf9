"""A bias by distance inside a kernel: made for a block of scores, and its gradient.

Legend: as in `kernels`; L are the 128 lanes at most of a column of scores.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl

from .blocks import LANES
from .distance_bias import Runs

Ref = Any  # a block in the memory of the chip


class Biased(NamedTuple):
    """What a program makes its bias of.

    Attributes:
      queries: positions of a block of queries, [1 t].
      keys: positions of a block of keys, [1 s].
      values: of the heads of a group, [R runs], runs in whole lanes.
      runs: of distances.
    """

    queries: Ref
    keys: Ref
    values: Ref
    runs: Runs


def with_bias(scores: jax.Array, bias: Biased | None) -> jax.Array:
    """Scores [s, R·t] with the bias of each, if there is one."""
    if bias is None:
        return scores
    columns = [bias.runs.of(x) for x in _distances(bias)]
    heads = range(bias.values.shape[0])
    made = [_looked_up(bias.values[r : r + 1], x) for r in heads for x in columns]
    return scores + jnp.concatenate(made, axis=1)


def add_gradient(d_values: Ref, d_scores: jax.Array, bias: Biased) -> None:
    """Adds to d_values [R, runs, L] what the gradient of scores [s, R·t] sums up to.

    Of each run, along keys and along columns; lanes are summed outside. A run that no
    distance of the block falls into costs nothing: blocks that are far from each other
    have one.
    """
    columns = [bias.runs.of(x) for x in _distances(bias)]
    lowest = bias.keys[...].min() - bias.queries[...].max()
    highest = bias.keys[...].max() - bias.queries[...].min()
    width = columns[0].shape[1]

    def add(run: jax.Array, _: None) -> None:
        for n, column in enumerate(columns * d_values.shape[0]):
            part = d_scores[:, n * width : (n + 1) * width]
            total = jnp.where(column == run, part, 0).sum(0, keepdims=True)
            at = n // len(columns), pl.ds(run, 1), slice(0, width)
            d_values[at] += total

    jax.lax.fori_loop(bias.runs.of(lowest), bias.runs.of(highest) + 1, add, None)


def _distances(bias: Biased) -> list[jax.Array]:
    """Of every key from every query, [s L] for each column of queries."""
    slots, width = bias.keys.shape[1], min(bias.queries.shape[1], LANES)
    # Along lanes a key's position is the same, and moves with them into sublanes.
    keys = jnp.broadcast_to(bias.keys[...], (width, slots)).T
    return [
        keys - bias.queries[:, at : at + width]
        for at in range(0, bias.queries.shape[1], width)
    ]


def _looked_up(values: jax.Array, index: jax.Array) -> jax.Array:
    """values[0, index] of values [1, runs], 128 lanes at a time."""
    found = jnp.zeros(index.shape, values.dtype)
    for at in range(0, values.shape[1], LANES):
        part = jnp.broadcast_to(values[:, at : at + LANES], (index.shape[0], LANES))
        within = jnp.clip(index - at, 0, LANES - 1)
        part = jnp.take_along_axis(part, within, axis=1, mode="promise_in_bounds")
        found = jnp.where(index >= at, part, found)
    return found
