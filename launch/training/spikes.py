"""Steps whose gradient is far outside what the last steps had: spikes."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float32, Int32

WINDOW = 128
"""Updates over which the norm is averaged, and before any is called a spike."""

LEAST_DEVIATION = 0.1
"""Least standard deviation of the logarithm: norms that hardly vary would else make a
spike of everything."""


class NormStatistics(NamedTuple):
    """Running statistics of the logarithm of the gradient norm, over applied updates.

    Attributes:
      mean: exponential moving average.
      variance: the same of the squared distance from it.
      updates: that were seen.
    """

    mean: Float32[Array, ""]
    variance: Float32[Array, ""]
    updates: Int32[Array, ""]


def no_statistics() -> NormStatistics:
    """The statistics before the first update."""
    zero = jnp.zeros((), jnp.float32)
    return NormStatistics(zero, zero, jnp.zeros((), jnp.int32))


def is_spike(
    statistics: NormStatistics, grad_norm: Float32[Array, ""], *, deviations: float
) -> Bool[Array, ""]:
    """Whether `log ‖g‖ > mean + deviations · max(σ, LEAST_DEVIATION)`.

    Never within the first `WINDOW` updates, and only upwards: a small gradient harms
    nothing. PaLM (arXiv 2204.02311, section 5.1) met about twenty spikes in its largest
    run and cured each by going back about 100 steps and skipping 200–500 batches.

    Args:
      statistics: of the updates before this one.
      grad_norm: global L2 norm, before clipping.
      deviations: standard deviations above the mean.
    """
    deviation = jnp.maximum(jnp.sqrt(statistics.variance), LEAST_DEVIATION)
    limit = statistics.mean + deviations * deviation
    return (statistics.updates >= WINDOW) & (jnp.log(grad_norm) > limit)


def extended(
    statistics: NormStatistics, grad_norm: Float32[Array, ""]
) -> NormStatistics:
    """The statistics with one more update.

    The first `WINDOW` updates are averaged evenly, later ones with weight 1 / `WINDOW`
    (Welford's recurrence, its weight bounded from below).
    """
    updates = statistics.updates + 1
    weight = 1.0 / jnp.minimum(updates, WINDOW).astype(jnp.float32)
    log_norm = jnp.log(jnp.maximum(grad_norm, jnp.finfo(jnp.float32).tiny))
    distance = log_norm - statistics.mean
    mean = statistics.mean + weight * distance
    variance = (1 - weight) * (statistics.variance + weight * distance**2)
    return NormStatistics(mean, variance, updates)
