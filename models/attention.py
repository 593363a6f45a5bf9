"""Interval attention: every query slot sees one interval of key slots."""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float, Float32, Int32

from ..objectives.errors import UsageError
from .rows import Array

# Below every score, and far above the lowest float32, so that differences of it stay
# finite: a masked score is _MASKED, and the maximum of a row is never below _FLOOR.
_MASKED = -1e30
_FLOOR = -1e20


def interval_attention(
    q: Float[jax.Array, "B T H K"],
    k: Float[jax.Array, "B S G K"],
    v: Float[jax.Array, "B S G K"],
    visible_from: Int32[Array, "B T"],
    visible_to: Int32[Array, "B T"],
    *,
    bias: Float32[jax.Array, "B H T S"] | None = None,
) -> Float[jax.Array, "B T H K"]:
    """Attention of slot t to exactly the slots in `[visible_from[t], visible_to[t])`.

    `out[t] = Σ_s softmax_s(q[t]·k[s] + bias[t, s]) v[s]` over the interval, with the
    softmax in float32. An empty interval gives exactly zero, and finite gradients.
    Scores are not scaled: RoPE attention hands in queries already divided by √K, T5
    uses none. Plain XLA, for every backend: the reference for any other
    implementation.

    Args:
      q: queries of H heads; head h reads the keys of group h // (H / G).
      k: keys of G groups, which divide H (grouped-query attention, Ainslie et al.
        2023).
      v: values of the same groups.
      visible_from: first visible slot, of S.
      visible_to: one past the last visible slot.
      bias: added to the scores.

    Raises:
      ValueError: G does not divide H.
    """
    batch, slots, heads, width = q.shape
    groups = k.shape[2]
    if heads % groups:
        raise UsageError(f"{groups} key heads do not divide {heads} query heads.")
    # Head-major from here on, with each group's queries in one dimension: forwards and
    # backwards, scores are then multiplied in the layout they are made in. Moving q, k,
    # v and the output costs S/K times less than moving scores.
    q = q.reshape(batch, slots, groups, -1, width).swapaxes(1, 2)  # [B G T R K]
    q = q.reshape(batch, groups, -1, width)
    k, v = k.swapaxes(1, 2), v.swapaxes(1, 2)  # [B S G K] -> [B G S K]
    wide = functools.partial(jnp.einsum, preferred_element_type=jnp.float32)
    scores = wide("bgqk,bgsk->bgqs", q, k)
    scores = scores.reshape(batch, groups, slots, -1, k.shape[2])  # [B G T R S]
    if bias is not None:
        bias = bias.reshape(batch, groups, -1, slots, k.shape[2])
        scores += bias.swapaxes(2, 3)
    visible = _visible(visible_from, visible_to, k.shape[2])[:, None, :, None]
    scores = jnp.where(visible, scores, _MASKED)
    top = jnp.maximum(jax.lax.stop_gradient(scores).max(-1, keepdims=True), _FLOOR)
    weights = jnp.exp(scores - top)  # exactly 0 where masked
    total = weights.sum(-1, keepdims=True)  # ≥ 1 unless the interval is empty
    weights = weights.reshape(batch, groups, -1, k.shape[2]).astype(v.dtype)
    out = wide("bgqs,bgsk->bgqk", weights, v)
    out = out.reshape(batch, groups, slots, -1, width)
    out = (out / jnp.where(total == 0, 1, total)).astype(q.dtype)
    return out.swapaxes(1, 2).reshape(batch, slots, heads, width)


def _visible(
    visible_from: Int32[Array, "B T"],
    visible_to: Int32[Array, "B T"],
    slots: int,
) -> Bool[jax.Array, "B T S"]:
    slot = jnp.arange(slots)
    return (slot >= visible_from[..., None]) & (slot < visible_to[..., None])
