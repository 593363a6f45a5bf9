"""T5's relative position bias, from arrays of positions."""

import math
from typing import Literal

import numpy as np
from flax import nnx
from jaxtyping import Int, Int32

from .attention import DistanceBias, Runs
from .config import ModelConfig
from .initialisers import fan_in
from .rows import Array

Direction = Literal["both", "past"]


def bucket_of_distance(
    *, buckets: int, max_distance: int, direction: Direction
) -> Int[np.ndarray, " distances"]:
    """The bucket of each distance `key - query` from -max_distance to max_distance.

    T5 (Raffel et al. 2020, section 2.1; mesh-tensorflow's
    `_relative_position_bucket`). Of n buckets a side, the first n/2 hold one distance
    each and the rest grow geometrically up to `max_distance`, beyond which all share
    the last. "both" gives each side half of the buckets, the upper half to keys after
    the query. "past" gives all of them to keys before it; every key after the query
    falls into bucket 0.
    """
    distance = np.arange(-max_distance, max_distance + 1)
    side = buckets // 2 if direction == "both" else buckets
    upper = np.where(distance > 0, side, 0) if direction == "both" else 0
    away = np.abs(distance) if direction == "both" else np.maximum(-distance, 0)
    exact = side // 2
    growth = np.log(np.maximum(away, 1) / exact) / math.log(max_distance / exact)
    # Distances on the edge of a bucket belong to the upper one, whatever log rounds to.
    coarse = exact + np.floor(growth * (side - exact) + 1e-6).astype(np.int64)
    return upper + np.where(away < exact, away, np.minimum(coarse, side - 1))


class RelativeBias(nnx.Module):
    """A learned bias for each bucket and head, of a stack or of one of its layers."""

    def __init__(self, config: ModelConfig, rngs: nnx.Rngs, *, direction: Direction):
        self.table = fan_in(
            rngs,
            (config.relative_buckets, config.heads),
            ("buckets", "heads"),
            inputs=config.d_model,
        )
        self.max_distance = config.relative_max_distance
        self.direction: Direction = direction

    def __call__(
        self, query_positions: Int32[Array, "B T"], positions: Int32[Array, "B S"]
    ) -> DistanceBias:
        """The bias of every pair of a query and a key, by where they stand."""
        buckets = bucket_of_distance(
            buckets=self.table.shape[0],
            max_distance=self.max_distance,
            direction=self.direction,
        )
        (at,) = np.nonzero(np.diff(buckets))  # a bucket is one run of distances
        starts = tuple(int(n) + 1 - self.max_distance for n in at)
        of_runs = self.table[...].T[:, buckets[[0, *(at + 1)]]]  # [H runs]
        return DistanceBias(of_runs, query_positions, positions, Runs(starts))
