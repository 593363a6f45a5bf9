"""Scanned layers are the layers one after another, whatever is rematerialised."""

import jax
import numpy as np
import pytest
from flax import nnx

from sightline.models.block import own_sight
from sightline.models.stack import KEPT


def gradients(architecture, **changes):
    """Of a sum with weights; the squares of what RMSNorm gives sum to a constant."""
    model = architecture.build(**changes)
    graph, state = nnx.split(model)

    def loss(state):
        out = nnx.merge(graph, state)(architecture.batch).decoder
        return (out * jax.random.normal(jax.random.key(0), out.shape)).sum()

    return jax.jit(jax.value_and_grad(loss))(state)


@pytest.fixture(scope="module")
def plain(decoder):
    return gradients(decoder)


@pytest.mark.parametrize(
    "changes",
    [*({"remat": name} for name in KEPT), {"unroll": 2}],
    ids=str,
)
def test_remat_and_unrolling_change_no_gradient(decoder, plain, changes):
    other = gradients(decoder, **changes)
    for a, b in zip(jax.tree.leaves(plain), jax.tree.leaves(other), strict=True):
        assert np.abs(a).max() > 0.1
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_scanned_layers_are_the_layers_in_turn(decoder):
    model, batch = decoder.build(), decoder.batch
    graph, stacked = nnx.split(model.layers)
    sight = own_sight(batch.decoder, model.config, None)
    x = model.embedding(batch.decoder.tokens)
    for index in range(model.config.layers):
        layer = nnx.merge(graph, jax.tree.map(lambda p, i=index: p[i], stacked))
        x = layer(x, sight)
    np.testing.assert_allclose(model.norm(x), model(batch).decoder, atol=1e-5)


def test_layers_differ_and_know_their_axes(architecture):
    state = nnx.state(architecture.build())
    for path, parameter in nnx.to_flat_state(state):
        assert len(parameter.get_metadata()["axes"]) == parameter[...].ndim, path
    for path, parameter in nnx.to_flat_state(state):
        if "layers" in str(path[0]) and "norm" not in str(path):
            assert parameter.get_metadata()["axes"][0] == "layers"
            assert not np.array_equal(parameter[0], parameter[1])


def test_rematerialisation_keeps_less(decoder):
    """From the layer's input alone, each policy keeps more, up to everything."""

    def saved(remat):
        graph, state = nnx.split(decoder.build(remat=remat))

        def loss(state):
            return nnx.merge(graph, state)(decoder.batch).decoder.sum()

        _, backward = jax.vjp(loss, state)
        return sum(x.size for x in jax.tree.leaves(backward) if hasattr(x, "size"))

    sizes = [saved(name) for name in (*KEPT, "none")]
    assert sizes == sorted(set(sizes)), sizes


@pytest.mark.unchecked
def test_a_policy_that_was_removed_names_its_replacements(decoder):
    with pytest.raises(ValueError, match=r'"dots" was removed.*"mlp".*"attention"'):
        decoder.build(remat="dots")
