"""The programs of the TPU kernel: forward, gradient of queries, of keys and values.

Legend: t and s are the slots of a block of queries and of keys, R the heads of a group.
Every array has slots along lanes; scores, weights and their gradients are [s, R·t].
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl

from .in_kernel_bias import Biased, add_gradient, with_bias
from .reference import FLOOR, MASKED

Ref = Any  # a block in the memory of the chip

# Which dimensions a product sums over: aᵀb, ab, abᵀ.
_FIRST, _INNER, _LAST = ((0,), (0,)), ((1,), (0,)), ((1,), (1,))


def forward(
    first: Ref, last: Ref, _: Ref, __: Ref, intervals: Ref, bias: Biased | None,
    q: Ref, k: Ref, v: Ref, out: Ref, log_sum: Ref, top: Ref, total: Ref, mixed: Ref,
) -> None:  # fmt: skip
    """One block of keys into the running maximum, sum and output of the queries."""
    step, block, sees = _key_block(first, last)

    @pl.when(step == 0)
    def _():
        top[...] = jnp.full_like(top, FLOOR)
        total[...] = jnp.zeros_like(total)
        mixed[...] = jnp.zeros_like(mixed)

    @pl.when(sees)
    def _():
        scores = _scores(_abreast(q), k[...], bias, intervals, block)
        above = jnp.maximum(top[...], scores.max(0, keepdims=True))
        weights = jnp.exp(scores - above)  # exactly 0 where masked
        shrink = jnp.exp(top[...] - above)
        top[...] = above
        total[...] = shrink * total[...] + weights.sum(0, keepdims=True)
        seen = _dot(v[...], weights.astype(v.dtype), _INNER)  # [K Rt]
        mixed[...] = shrink * mixed[...] + seen

    @pl.when(step == pl.num_programs(3) - 1)
    def _():
        sums = jnp.where(total[...] == 0, 1, total[...])  # 0: the interval is empty
        _write_heads(out, mixed[...] / sums)
        _write_heads(log_sum, top[...] + jnp.log(sums))


def backward_queries(
    first: Ref, last: Ref, _: Ref, __: Ref, intervals: Ref, bias: Biased | None,
    q: Ref, k: Ref, v: Ref, d_out: Ref, log_sum: Ref, shift: Ref, d_q: Ref, *more: Ref,
) -> None:  # fmt: skip
    """One block of keys into the gradient of a block of queries, and of a bias.

    Args:
      more: the gradient of the bias's values, if there is one; and the total.
    """
    step, block, sees = _key_block(first, last)
    total = more[-1]

    @pl.when(step == 0)
    def _():
        for sums in more:
            sums[...] = jnp.zeros_like(sums)

    @pl.when(sees)
    def _():
        queries = _abreast(q), _abreast(d_out), _abreast(log_sum), _abreast(shift)
        _, d_scores = _gradients(*queries, k, v, bias, intervals, block)
        if bias is not None:
            add_gradient(more[0], d_scores, bias)
        total[...] += _dot(k[...], d_scores.astype(k.dtype), _INNER)  # [K Rt]

    @pl.when(step == pl.num_programs(3) - 1)
    def _():
        _write_heads(d_q, total[...])


def backward_keys(
    first: Ref, last: Ref, seen_first: Ref, seen_last: Ref, intervals: Ref,
    bias: Biased | None, q: Ref, k: Ref, v: Ref, d_out: Ref, log_sum: Ref, shift: Ref,
    d_k: Ref, d_v: Ref, total_k: Ref, total_v: Ref,
) -> None:  # fmt: skip
    """One block of queries into the gradients of a block of keys and values."""
    row, block, step = (pl.program_id(axis) for axis in (0, 2, 3))
    place = row * pl.num_programs(2) + block
    query = seen_first[place] + step
    # The queries in between need not all see these keys.
    asking = row * (first.shape[0] // pl.num_programs(0)) + query
    within = query < seen_last[place]
    asking = jnp.where(within, asking, 0)
    sees = within & (first[asking] <= block) & (block < last[asking])

    @pl.when(step == 0)
    def _():
        total_k[...] = jnp.zeros_like(total_k)
        total_v[...] = jnp.zeros_like(total_v)

    @pl.when(sees)
    def _():
        queries, d_mixed = _abreast(q), _abreast(d_out)
        weights, d_scores = _gradients(
            queries,
            d_mixed,
            _abreast(log_sum),
            _abreast(shift),
            k,
            v,
            bias,
            intervals,
            block,
        )
        # Sums over all heads of the group; [s K], since long sides multiply faster.
        total_v[...] += _dot(weights.astype(d_mixed.dtype), d_mixed, _LAST)
        total_k[...] += _dot(d_scores.astype(queries.dtype), queries, _LAST)

    @pl.when(step == pl.num_programs(3) - 1)
    def _():
        d_k[...] = total_k[...].T.astype(d_k.dtype)
        d_v[...] = total_v[...].T.astype(d_v.dtype)


def _key_block(first: Ref, last: Ref) -> tuple[Any, Any, Any]:
    """The step, its block of keys, and whether the block of queries sees any of it."""
    place = pl.program_id(0) * pl.num_programs(2) + pl.program_id(2)
    step = pl.program_id(3)
    block = first[place] + step
    return step, block, block < last[place]


def _scores(
    q: jax.Array, k: jax.Array, bias: Biased | None, intervals: Ref, block: Any
) -> jax.Array:
    """Scores [s, R·t] of queries [K, R·t] and keys [K, s], masked."""
    scores = with_bias(_dot(k, q, _FIRST), bias)
    heads = scores.shape[1] // intervals.shape[1]
    slot = block * k.shape[1] + jax.lax.broadcasted_iota(jnp.int32, scores.shape, 0)
    start, stop = (
        jnp.concatenate([intervals[end : end + 1]] * heads, axis=1) for end in (0, 1)
    )
    return jnp.where((slot >= start) & (slot < stop), scores, MASKED)


def _gradients(
    q: jax.Array,
    d_out: jax.Array,
    log_sum: jax.Array,
    shift: jax.Array,
    k: Ref,
    v: Ref,
    bias: Biased | None,
    intervals: Ref,
    block: Any,
) -> tuple[jax.Array, jax.Array]:
    """Weights, and the gradient of scores; `shift` is Σ out·d_out of each query."""
    weights = jnp.exp(_scores(q, k[...], bias, intervals, block) - log_sum)
    d_weights = _dot(v[...], d_out, _FIRST)
    return weights, weights * (d_weights - shift)


def _dot(a: jax.Array, b: jax.Array, over: tuple) -> jax.Array:
    dimensions = (over, ((), ()))
    return jax.lax.dot_general(a, b, dimensions, preferred_element_type=jnp.float32)


def _abreast(heads: Ref) -> jax.Array:
    """The heads of a group side by side: [R · t] -> [· R·t]."""
    return jnp.concatenate([heads[r] for r in range(heads.shape[0])], axis=-1)


def _write_heads(heads: Ref, abreast: jax.Array) -> None:
    """The inverse of `_abreast`."""
    size = heads.shape[-1]
    for r in range(heads.shape[0]):
        heads[r] = abreast[:, r * size : (r + 1) * size].astype(heads.dtype)
