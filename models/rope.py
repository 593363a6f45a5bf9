"""Rotary positions (RoPE), with positions of their own for queries and keys."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float, Float32, Int32

from .config import ModelConfig
from .rows import Array


class Rotation(NamedTuple):
    """Cosine and sine of each slot's angles, made once for all layers."""

    cos: Float32[jax.Array, "B T half"]
    sin: Float32[jax.Array, "B T half"]


def frequencies(config: ModelConfig) -> Float32[jax.Array, " half"]:
    """Radians a position: `f = theta^(-2i/K)` for i in [0, K/2) (Su et al. 2021).

    With a `rope_factor` s, as Llama 3 scales them (Grattafiori et al. 2024; Meta's
    `apply_scaling`): a frequency makes `n = C f / 2π` turns in the original context of
    C slots. With n ≤ low it becomes f/s, with n ≥ high it stays, and between them

        t f + (1 - t) f / s        t = (n - low) / (high - low)
    """
    powers = jnp.arange(0, config.head_dim, 2, dtype=jnp.float32) / config.head_dim
    plain = config.rope_theta**-powers
    if config.rope_factor == 1.0:
        return plain
    low, high = config.rope_low_frequency_factor, config.rope_high_frequency_factor
    turns = config.rope_original_context * plain / (2 * math.pi)
    kept = jnp.clip((turns - low) / (high - low), 0.0, 1.0)
    return kept * plain + (1 - kept) * plain / config.rope_factor


def rotation(positions: Int32[Array, "B T"], config: ModelConfig) -> Rotation:
    """The angles `position · frequency` of every slot."""
    angles = positions[..., None].astype(jnp.float32) * frequencies(config)
    return Rotation(jnp.cos(angles), jnp.sin(angles))


def rotate(
    x: Float[jax.Array, "B T H K"], by: Rotation, *, scale: float = 1.0
) -> Float[jax.Array, "B T H K"]:
    """Rotates the pairs (i, i + K/2) of each head, then multiplies by `scale`.

    The pairing is the one of Llama's published weights. The arithmetic is float32, so
    a scale costs no rounding of its own.
    """
    cos, sin = by.cos[:, :, None] * scale, by.sin[:, :, None] * scale
    first, second = jnp.split(x.astype(jnp.float32), 2, axis=-1)
    turned = (first * cos - second * sin, second * cos + first * sin)
    return jnp.concatenate(turned, axis=-1).astype(x.dtype)
