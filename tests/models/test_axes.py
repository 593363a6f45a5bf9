"""The rule table, and the layouts made of it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.sharding import AxisType, PartitionSpec

from sightline.models.axes import MESH_AXES, constrain, param_shardings, partition_spec


def mesh(*sizes: int):
    return jax.make_mesh(sizes, MESH_AXES, axis_types=(AxisType.Auto,) * 4)


def test_names_become_mesh_axes():
    assert partition_spec(("batch", "slots", None)) == PartitionSpec(
        ("data", "fsdp"), "sequence", None
    )
    assert partition_spec(("layers", "embed", "heads", "head")) == PartitionSpec(
        None, "fsdp", "tensor", None
    )


def test_an_unknown_name_names_the_nearest():
    with pytest.raises(ValueError, match="'bach'; did you mean 'batch'"):
        partition_spec(("bach",))


def test_without_a_mesh_nothing_is_constrained():
    x = jnp.zeros((3, 5))
    assert constrain(x, "batch", "slots") is x


def test_a_constraint_lays_out():
    with jax.set_mesh(mesh(2, 2, 2, 1)):
        y = jax.jit(lambda x: constrain(x, "batch", "slots"))(jnp.zeros((4, 6)))
    assert y.sharding.shard_shape(y.shape) == (1, 3)


def test_an_activation_that_does_not_divide():
    with (
        jax.set_mesh(mesh(2, 2, 1, 2)),
        pytest.raises(ValueError, match=r"\(batch\) is 6, which does not divide by 4"),
    ):
        constrain(jnp.zeros((6, 5)), "batch", "slots")


def test_a_mesh_needs_every_axis():
    with (
        jax.set_mesh(jax.make_mesh((8,), ("data",), axis_types=(AxisType.Auto,))),
        pytest.raises(ValueError, match=r"lacks \['fsdp', 'sequence', 'tensor'\]"),
    ):
        constrain(jnp.zeros((8, 5)), "batch", "slots")


def test_every_parameter_is_laid_out(architecture):
    model = architecture.build()
    shardings = param_shardings(nnx.state(model), mesh(1, 4, 1, 2))
    state = jax.device_put(nnx.state(model), shardings)
    assert jax.tree.structure(shardings) == jax.tree.structure(state)
    gate = jax.tree.leaves(shardings)[0]
    assert set(gate.mesh.axis_names) == set(MESH_AXES)
    sharded = [p for p in jax.tree.leaves(state) if not p.is_fully_replicated]
    size = sum(p.size for p in sharded)
    assert size > 0.9 * sum(p.size for p in jax.tree.leaves(state))
    held = sum(np.prod(p.sharding.shard_shape(p.shape)) for p in sharded)
    assert held * 8 == size


def test_shapes_alone_are_enough(architecture):
    model = nnx.eval_shape(architecture.build)
    assert jax.tree.leaves(param_shardings(nnx.state(model), mesh(2, 2, 1, 2)))


def test_a_parameter_that_does_not_divide_is_named(decoder):
    with pytest.raises(
        ValueError,
        match=r"parameter layers\.attention\.key .* dimension 2 \(kv\) is 2, which "
        r"does not divide by 4, the size of mesh axis tensor",
    ):
        param_shardings(nnx.state(decoder.build()), mesh(2, 1, 1, 4))


def test_a_parameter_without_axes_is_named():
    state = nnx.State({"w": nnx.Param(jnp.zeros((2, 2)), axes=("embed",))})
    with pytest.raises(ValueError, match=r"parameter w of shape \(2, 2\)"):
        param_shardings(state, mesh(8, 1, 1, 1))
