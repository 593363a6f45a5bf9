"""A bias by distance: of each query and key by their positions, not yet an array."""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float32, Int32

from ..rows import Array


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class Runs:
    """Runs of distances that share a value: [-∞, starts[0]), [starts[0], starts[1]), …

    Attributes:
      starts: ascending, one at least; distances are `key - query`.
    """

    starts: tuple[int, ...]

    @property
    def dense(self) -> range:
        """Which starts follow each other by 1: the longest such stretch."""
        best, begin = range(1), 0
        for n in range(1, len(self.starts) + 1):
            if n == len(self.starts) or self.starts[n] != self.starts[n - 1] + 1:
                best = max(best, range(begin, n), key=len)
                begin = n
        return best

    def of(self, distance: jax.Array) -> jax.Array:
        """The run of each distance, by additions and comparisons alone."""
        dense = self.dense
        run = jnp.clip(distance - (self.starts[dense[0]] - 1), 0, len(dense))
        for n, start in enumerate(self.starts):
            if n not in dense:
                run += (distance >= start).astype(run.dtype)
        return run


class DistanceBias(NamedTuple):
    """What is added to scores: `values[h, run of (positions[s] - query_positions[t])]`.

    Attributes:
      values: of each head and run.
      query_positions: where queries stand.
      positions: where keys stand.
      runs: of distances.
    """

    values: Float32[jax.Array, "H runs"]
    query_positions: Int32[Array, "B T"]
    positions: Int32[Array, "B S"]
    runs: Runs

    def array(self) -> Float32[jax.Array, "B H T S"]:
        """The bias of every pair: as large as the scores."""
        starts = self.runs.starts
        low, high = starts[0] - 1, starts[-1]
        by_distance = self.values[:, self.runs.of(jnp.arange(low, high + 1))]
        distance = self.positions[:, None, :] - self.query_positions[:, :, None]
        distance = jnp.clip(distance, low, high) - low  # [B T S]
        return jax.vmap(lambda row: by_distance[:, row])(distance)
