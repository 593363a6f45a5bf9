"""Interval attention against a loop over slots."""

import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sightline.models.attention import interval_attention

B, T, S, H, G, K = 2, 5, 6, 4, 2, 3
attend = jax.jit(interval_attention)


def slow(q, k, v, start, stop, bias) -> np.ndarray:
    out = np.zeros_like(q, dtype=np.float64)
    for b, t, h in np.ndindex(B, T, H):
        seen = range(max(start[b, t], 0), min(stop[b, t], S))
        if len(seen):
            group = h // (H // G)
            score = [q[b, t, h] @ k[b, s, group] + bias[b, h, t, s] for s in seen]
            weight = np.exp(np.array(score, np.float64) - max(score))
            out[b, t, h] = weight / weight.sum() @ v[b, list(seen), group]
    return out


def inputs(seed: int) -> tuple[jax.Array, ...]:
    rng = np.random.default_rng(seed)
    shapes = (B, T, H, K), (B, S, G, K), (B, S, G, K), (B, H, T, S)
    return tuple(jnp.asarray(rng.normal(size=n), jnp.float32) for n in shapes)


ends = arrays(np.int32, (B, T), elements=st.integers(0, S))


@hypothesis.given(ends, ends, st.integers(0, 99))
@hypothesis.settings(deadline=None, max_examples=60)
def test_it_is_the_loop_over_slots_for_any_intervals(start, stop, seed):
    q, k, v, bias = inputs(seed)
    out = np.asarray(attend(q, k, v, start, stop, bias=bias))
    q, k, v, bias = map(np.asarray, (q, k, v, bias))
    np.testing.assert_allclose(out, slow(q, k, v, start, stop, bias), atol=2e-6)
    assert not out[start >= stop].any()


def test_empty_rows_give_zero_and_finite_gradients():
    q, k, v, bias = inputs(0)
    none = np.zeros((B, T), np.int32)

    def loss(q, k, v, bias):
        return interval_attention(q, k, v, none, none, bias=bias).sum()

    value, gradients = jax.value_and_grad(loss, (0, 1, 2, 3))(q, k, v, bias)
    assert value == 0
    assert all(not g.any() for g in gradients)


def test_huge_scores_stay_finite():
    q, k, v, _ = inputs(0)
    start, stop = np.zeros((B, T), np.int32), np.full((B, T), 2, np.int32)
    # The unseen keys score far higher than the seen ones.
    k = k.at[:, 2:].multiply(1e6)

    def loss(q):
        return interval_attention(q * 1e4, k, v, start, stop).sum()

    value, gradient = jax.value_and_grad(loss)(q)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_the_softmax_of_bfloat16_is_float32():
    q, k, v, _ = (jnp.asarray(x, jnp.bfloat16) for x in inputs(0))
    start, stop = np.zeros((B, T), np.int32), np.full((B, T), S, np.int32)
    jaxpr = str(jax.make_jaxpr(interval_attention)(q, k, v, start, stop))
    assert "exp" in jaxpr
    assert all("f32[" in line for line in jaxpr.splitlines() if "= exp" in line)
    out = interval_attention(q, k, v, start, stop)
    assert out.dtype == jnp.bfloat16
    exact = slow(
        *(np.asarray(x, np.float32) for x in (q, k, v)),
        start,
        stop,
        np.zeros((B, H, T, S)),
    )
    np.testing.assert_allclose(np.asarray(out, np.float32), exact, atol=2e-2)


def test_no_mask_is_kept_for_the_backward_pass():
    """XLA on TPU wrote one to memory for every head of a group."""
    q, k, v, _ = inputs(0)
    none = np.zeros((B, T), np.int32)
    _, back = jax.vjp(lambda *x: interval_attention(*x, none, none), q, k, v)
    kept = [x for x in jax.tree.leaves(back) if x.dtype == bool]
    assert all(x.size < B * T * S for x in kept)


def test_groups_must_divide_heads():
    q, k, v, _ = inputs(0)
    none = np.zeros((B, T), np.int32)
    with pytest.raises(ValueError, match="2 key heads do not divide 3 query heads"):
        interval_attention(q[:, :, :3], k, v, none, none)
