"""Rotary positions (RoPE), with positions of their own for queries and keys."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float, Float32, Int32

from .rows import Array


class Rotation(NamedTuple):
    """Cosine and sine of each slot's angles, made once for all layers."""

    cos: Float32[jax.Array, "B T half"]
    sin: Float32[jax.Array, "B T half"]


def rotation(
    positions: Int32[Array, "B T"], *, head_dim: int, theta: float
) -> Rotation:
    """The angles `position · theta^(-2i/K)` for i in [0, K/2) (Su et al. 2021)."""
    powers = jnp.arange(0, head_dim, 2, dtype=jnp.float32) / head_dim
    angles = positions[..., None].astype(jnp.float32) * theta**-powers
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
