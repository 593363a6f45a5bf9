"""The vocabulary loss against NumPy, and what its program holds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sightline.models.vocabulary_loss import vocabulary_loss

B, P, D, V = 2, 6, 4, 37


@pytest.fixture(scope="module")
def inputs():
    rng = np.random.default_rng(0)
    hidden = jnp.asarray(rng.normal(size=(B, P, D)), jnp.float32)
    table = jnp.asarray(rng.normal(size=(V, D)), jnp.float32)
    targets = jnp.asarray(rng.integers(0, V, (B, P)), jnp.int32)
    best = jnp.argmax(jnp.einsum("bpd,vd->bpv", hidden, table), -1)
    return hidden, table, targets.at[0].set(best[0].astype(jnp.int32))


def test_it_is_cross_entropy(inputs):
    hidden, table, targets = (np.asarray(x) for x in inputs)
    logits = np.einsum("bpd,vd->bpv", hidden, table).astype(np.float64)
    log_z = np.log(np.exp(logits).sum(-1))
    hit = np.take_along_axis(logits, targets[..., None], -1)[..., 0]
    loss = vocabulary_loss(*inputs, chunk=None)
    np.testing.assert_allclose(loss.nll, log_z - hit, rtol=1e-5)
    np.testing.assert_allclose(loss.log_z_squared, log_z**2, rtol=1e-5)
    np.testing.assert_array_equal(loss.correct, logits.argmax(-1) == targets)
    assert loss.correct[0].all()


@pytest.mark.parametrize("chunk", [1, 2, 4, 6, 99])
def test_chunks_change_nothing(inputs, chunk):
    """4 does not divide the 6 predictions."""

    def total(hidden, table, chunk):
        loss = vocabulary_loss(hidden, table, inputs[2], chunk=chunk)
        return (loss.nll * jnp.arange(P) + loss.log_z_squared).sum(), loss

    grad = jax.value_and_grad(total, (0, 1), has_aux=True)
    whole, parts = (grad(*inputs[:2], c) for c in (None, chunk))
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(parts), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-5)


def shapes_of(chunk: int | None, inputs) -> str:
    def loss(hidden, table):
        return vocabulary_loss(hidden, table, inputs[2], chunk=chunk).nll.sum()

    return jax.jit(jax.grad(loss, (0, 1))).lower(*inputs[:2]).compile().as_text()


def test_whole_logits_never_exist_with_a_chunk(inputs):
    def held(text: str, predictions: int) -> bool:
        shapes = f"f32[{B},{predictions},{V}]", f"f32[{B * predictions},{V}]"
        stacked = f"f32[{P // 2},{B},2,{V}]", f"f32[{P // 2},{B * 2},{V}]"
        return any(s in text for s in (*shapes, *(stacked if predictions == P else ())))

    assert held(shapes_of(None, inputs), P)
    chunked = shapes_of(2, inputs)
    assert held(chunked, 2)
    assert not held(chunked, P)


@pytest.mark.parametrize("target", [-1, V])
def test_a_target_out_of_range_is_nan(inputs, target):
    hidden, table, targets = inputs
    loss = vocabulary_loss(hidden, table, targets.at[1, 2].set(target), chunk=4)
    assert np.isnan(loss.nll[1, 2])
    assert np.isfinite(np.delete(np.asarray(loss.nll), P + 2)).all()


@pytest.mark.parametrize("chunk", [None, 2])
def test_the_table_has_its_gradient_before_layers_go_backwards(inputs, chunk):
    """Both gradients leave through one barrier, so no layer's can come in between."""

    def loss(hidden, table):
        return vocabulary_loss(hidden, table, inputs[2], chunk=chunk).nll.sum()

    program = jax.make_jaxpr(jax.grad(loss, (0, 1)))(*inputs[:2]).jaxpr
    (barrier,) = (
        step for step in program.eqns if step.primitive.name == "optimization_barrier"
    )
    assert program.outvars == barrier.outvars
