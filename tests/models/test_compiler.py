"""Gradients in batches are those one by one: a fault of jaxlib 0.10.2 on CPU."""

import jax
import numpy as np
import pytest

pytestmark = pytest.mark.optimised


def test_a_batch_of_gradients_of_rms_norm_is_right():
    """XLA's fusion of its backward reduction repeated the first 32,768 elements."""
    x = jax.random.normal(jax.random.key(0), (96, 16))
    cotangents = jax.random.normal(jax.random.key(1), (96, 96, 16))
    _, back = jax.vjp(
        lambda x: x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-6), x
    )
    batched = jax.jit(jax.vmap(lambda one: back(one)[0]))(cotangents)
    single = jax.jit(lambda c: jax.lax.map(lambda one: back(one)[0], c))(cotangents)
    np.testing.assert_allclose(batched, single, atol=1e-5)
