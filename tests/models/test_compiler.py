"""Gradients in batches are those one by one: a fault of jaxlib 0.10.2 on CPU."""

import functools
import os

import jax
import numpy as np
import pytest

pytestmark = pytest.mark.optimised

AS_SHIPPED = (
    {"xla_cpu_use_fusion_emitters": True}
    if "fusion_emitters" in os.environ.get("XLA_FLAGS", "")
    else {}
)
"""Options of the compiler as users have them, and not the other tests."""


def test_a_batch_of_gradients_of_rms_norm_is_right():
    """XLA's fusion of its backward reduction repeated the first 32,768 elements."""
    x = jax.random.normal(jax.random.key(0), (96, 16))
    cotangents = jax.random.normal(jax.random.key(1), (96, 96, 16))
    _, back = jax.vjp(
        lambda x: x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-6), x
    )
    compiled = functools.partial(jax.jit, compiler_options=AS_SHIPPED)
    batched = compiled(jax.vmap(lambda one: back(one)[0]))(cotangents)
    single = compiled(lambda c: jax.lax.map(lambda one: back(one)[0], c))(cotangents)
    np.testing.assert_allclose(batched, single, atol=1e-5)
