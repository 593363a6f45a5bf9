"""Interval attention in plain XLA, for every backend: the scores are an array."""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Float, Float32, Int32

from ..rows import Array

# Below every score, and far above the lowest float32, so that differences of it stay
# finite: a masked score is MASKED, and the maximum of a row is never below FLOOR.
MASKED = -1e30
FLOOR = -1e20


def reference_attention(
    q: Float[jax.Array, "B T H K"],
    k: Float[jax.Array, "B S G K"],
    v: Float[jax.Array, "B S G K"],
    visible_from: Int32[Array, "B T"],
    visible_to: Int32[Array, "B T"],
    *,
    bias: Float32[jax.Array, "B H T S"] | None = None,
) -> Float[jax.Array, "B T H K"]:
    """`interval_attention` as XLA computes it: scores are float32 [B, H, T, S].

    The reference for any other implementation. Arguments are those of
    `interval_attention`.
    """
    batch, slots, heads, width = q.shape
    groups = k.shape[2]
    # Head-major from here on, with each group's queries in one dimension: forwards and
    # backwards, scores are then multiplied in the layout they are made in. Moving q, k,
    # v and the output costs S/K times less than moving scores.
    q = q.swapaxes(1, 2).reshape(batch, groups, -1, width)  # [B T H K] -> [B G RT K]
    k, v = k.swapaxes(1, 2), v.swapaxes(1, 2)  # [B S G K] -> [B G S K]
    wide = functools.partial(jnp.einsum, preferred_element_type=jnp.float32)
    scores = wide("bgqk,bgsk->bgqs", q, k)
    if bias is not None:
        scores += bias.reshape(scores.shape)  # [B H T S] -> [B G RT S]
    # Neither is a mask repeated for each head of a group, nor kept for the backward
    # pass, where weights that are 0 do without: XLA would write both to memory.
    start, stop = (
        jnp.tile(end, (1, heads // groups))[:, None, :, None]  # [B T] -> [B 1 RT 1]
        for end in (visible_from, visible_to)
    )
    slot = jnp.arange(k.shape[2])
    scores += jnp.where((slot >= start) & (slot < stop), 0, MASKED)
    top = jnp.maximum(jax.lax.stop_gradient(scores).max(-1, keepdims=True), FLOOR)
    weights = jnp.exp(scores - top)  # exactly 0 where masked
    total = weights.sum(-1, keepdims=True)  # ≥ 1 unless the interval is empty
    out = wide("bgqs,bgsk->bgqk", weights.astype(v.dtype), v)
    out = (out / jnp.where(total == 0, 1, total)).astype(q.dtype)
    out = out.reshape(batch, heads, slots, width)  # [B G RT K] -> [B H T K]
    return out.swapaxes(1, 2)
