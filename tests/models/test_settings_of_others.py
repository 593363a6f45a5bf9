"""Settings that models from elsewhere need, each against what it says."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from sightline.models.mlp import MLP
from sightline.models.vocabulary_loss import logits

from .conftest import tiny


def test_a_plain_mlp_is_two_products():
    mlp = MLP(tiny(gated=False, activation="relu"), nnx.Rngs(0), residual_gain=1.0)
    x = jax.random.normal(jax.random.key(1), (2, 3, 16))
    wanted = np.maximum(x @ mlp.up[...], 0) @ mlp.down[...]
    np.testing.assert_allclose(mlp(x), wanted, rtol=1e-5, atol=1e-6)
    assert mlp.gate is None


def test_scaled_logits_are_over_the_root_of_the_width(architecture):
    plain, scaled = architecture.build(), architecture.build(scale_logits=True)
    batch = architecture.batch
    one, other = (logits(m(batch).decoder, m.projection()) for m in (plain, scaled))
    np.testing.assert_allclose(other, one / 4.0, rtol=1e-6, atol=1e-7)  # D = 16


@pytest.mark.parametrize("equal", [True, False])
def test_a_table_a_layer_is_the_stacks_where_all_are_equal(architecture, equal):
    shared = architecture.build(position="relative_bias")
    config = dict(position="relative_bias", relative_per_layer=True)
    apart = nnx.clone(architecture.build(**config))  # which others share
    flat = dict(nnx.to_flat_state(nnx.state(shared)))
    ours = nnx.to_flat_state(nnx.state(apart))
    for path, parameter in ours:
        if path[-2] == "bias":  # of a layer
            name = "bias" if path[0] == "layers" else path[0].replace("layers", "bias")
            table = flat[name, "table"][...]
            parameter[...] = jnp.stack([table, table if equal else 2 * table + 1])
        else:
            parameter[...] = flat[path][...]
    batch = architecture.batch
    found, wanted = apart(batch).decoder, shared(batch).decoder
    assert np.allclose(found, wanted, atol=1e-6) == equal
