"""Optimisers on a tree like a model's: stacked layers, embeddings, scales."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from optax.contrib import MuonDimensionNumbers

from sightline.launch.training import optimizers
from sightline.launch.training.mesh import MeshShape, make_mesh
from sightline.models.axes import param_shardings
from sightline.objectives.errors import UsageError

AXES = {
    "embedding": ("vocab", "embed"),
    "scale": ("layers", "scale"),
    "final_scale": ("scale",),
    "gate": ("layers", "embed", "hidden"),
    "query": ("layers", "embed", "heads", "head"),
    "out": ("layers", "heads", "head", "embed"),
    "buckets": ("buckets", "heads"),
}
SIZES = {
    "vocab": 16,
    "embed": 8,
    "layers": 3,
    "scale": 8,
    "hidden": 12,
    "heads": 2,
    "head": 4,
    "buckets": 5,
}
MATRICES = {"gate", "query", "out"}


@functools.cache
def normal(seed):
    """Values of a tree, by name, on the host: a mesh places them itself."""
    keys = jax.random.split(jax.random.key(seed), len(AXES))
    return {
        name: np.asarray(jax.random.normal(key, [SIZES[axis] for axis in names]))
        for key, (name, names) in zip(keys, AXES.items(), strict=True)
    }


def tree(seed):
    drawn = normal(seed)
    return nnx.State(
        {name: nnx.Param(jnp.asarray(drawn[name]), axes=AXES[name]) for name in AXES}
    )


def values(state):
    return {name: np.asarray(state[name][...]) for name in state}


def first_update(optimizer, params, grads):
    """The changes of the first update, an operation at a time."""
    return values(optimizer.update(grads, optimizer.init(params), params)[0])


def update(optimizer, params, grads):
    """The same, compiled in one piece."""

    @jax.jit
    def run(params, grads):
        return optimizer.update(grads, optimizer.init(params), params)[0]

    return values(run(params, grads))


@pytest.mark.parametrize("name", AXES)
def test_which_axes_are_a_matrix(name):
    expected = {
        "gate": MuonDimensionNumbers((1,), (2,)),
        "query": MuonDimensionNumbers((1,), (2, 3)),
        "out": MuonDimensionNumbers((1, 2), (3,)),
    }
    assert optimizers.matrix_axes(AXES[name]) == expected.get(name)


@pytest.mark.parametrize("name", ["adamw", "adafactor", "muon"])
def test_each_reduces_a_quadratic(name):
    rate = {"adamw": 0.05, "adafactor": 0.05, "muon": 0.2}[name]
    settings = {} if name == "adafactor" else {"weight_decay": 0.0}
    optimizer = getattr(optimizers, name)(optax.constant_schedule(rate), **settings)
    goal, params = tree(0), tree(1)

    def loss(params):
        errors = jax.tree.map(lambda a, b: jnp.mean((a - b) ** 2), params, goal)
        return sum(jax.tree.leaves(errors))

    @jax.jit
    def step(params, state):
        updates, state = optimizer.update(jax.grad(loss)(params), state, params)
        return optax.apply_updates(params, updates), state

    state = optimizer.init(params)
    before = loss(params)
    for _ in range(100):
        params, state = step(params, state)
    assert loss(params) < 0.1 * before


@pytest.mark.parametrize("name", ["adamw", "adafactor", "muon"])
def test_only_matrices_decay(name):
    params = tree(0)
    grads = jax.tree.map(jnp.zeros_like, params)
    optimizer = getattr(optimizers, name)(
        optax.constant_schedule(0.1), weight_decay=0.5
    )
    for leaf, change in update(optimizer, params, grads).items():
        expected = -0.05 * values(params)[leaf] if leaf in MATRICES else 0.0
        np.testing.assert_allclose(
            change, np.broadcast_to(expected, change.shape), 1e-5
        )


@pytest.fixture(scope="module")
def muon_updates():
    optimizer = optimizers.muon(optax.constant_schedule(0.1))
    return first_update(optimizer, tree(0), tree(1))


@pytest.mark.parametrize("name", sorted(MATRICES))
def test_muon_treats_each_layer_on_its_own(muon_updates, name):
    params, grads = values(tree(0))[name], values(tree(1))[name]
    axes = {name: AXES[name][1:]}
    for layer in range(SIZES["layers"]):
        one, its_grad = (
            nnx.State({name: nnx.Param(jnp.asarray(x[layer]), axes=axes[name])})
            for x in (params, grads)
        )
        optimizer = optimizers.muon(optax.constant_schedule(0.1))
        alone = first_update(optimizer, one, its_grad)[name]
        np.testing.assert_allclose(muon_updates[name][layer], alone, atol=1e-6)


def test_muon_orthogonalises_attention_as_one_matrix():
    optimizer = optimizers.muon(
        optax.constant_schedule(1.0), weight_decay=0.0, consistent_rms=1.0
    )
    change = update(optimizer, tree(0), tree(1))["query"]
    for layer in change:
        singular = np.linalg.svd(layer.reshape(8, 8), compute_uv=False)
        assert singular.max() < 1.3 * np.sqrt(8)
        assert singular.min() > 0.3 * np.sqrt(8)


def of_optax(rate):
    return optax.contrib.muon(
        rate,
        beta=0.95,
        consistent_rms=0.2,
        weight_decay=0.1,
        adam_b2=0.95,
        muon_weight_dimension_numbers=optimizers.matrices,
    )


def two_updates(optimizer, params, *grads):
    """State and changes after two updates; momentum differs from the gradient."""

    def run(params, *grads):
        state = optimizer.init(params)
        for grad in grads:
            updates, state = optimizer.update(grad, state, params)
            params = optax.apply_updates(params, updates)
        return params, state

    return jax.jit(run)(params, *grads)


@pytest.fixture(scope="module")
def expected_of_muon():
    return two_updates(of_optax(optax.constant_schedule(0.1)), *map(tree, range(3)))


MESHES = [(1, 1, 1, 1), (1, 8, 1, 1), (1, 4, 1, 2), (2, 2, 2, 1), (2, 1, 2, 2)]


@pytest.mark.parametrize("sizes", MESHES, ids=str)
def test_muon_is_that_of_optax_on_every_mesh(sizes, expected_of_muon):
    """3 layers do not divide by any number of devices."""
    mesh = make_mesh(MeshShape(*sizes), devices=jax.devices()[: math.prod(sizes)])
    with jax.set_mesh(mesh):
        shardings = param_shardings(tree(0), mesh)
        trees = (jax.device_put(tree(seed), shardings) for seed in range(3))
        ours = two_updates(optimizers.muon(optax.constant_schedule(0.1)), *trees)
    expected = expected_of_muon
    assert jax.tree.structure(ours) == jax.tree.structure(expected)
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


def test_muon_gives_the_rest_to_adam(muon_updates):
    adam = update(optax.nadam(0.1, 0.9, 0.95), tree(0), tree(1))
    for name in AXES.keys() - MATRICES:
        np.testing.assert_allclose(muon_updates[name], adam[name], 1e-5)


def test_plain_arrays():
    params = {"w": jnp.ones((2, 3)), "b": jnp.ones(3), "s": jnp.ones((4, 2, 3))}
    assert optimizers.is_matrix(params) == {"w": True, "b": False, "s": False}


def test_a_parameter_without_names():
    with pytest.raises(ValueError, match="without axis names"):
        optimizers.matrices(nnx.State({"w": nnx.Param(jnp.ones((2, 2)))}))


@pytest.mark.parametrize(
    ("optimizer", "bound", "message"),
    [
        ("adamw", {"b1": 7.0}, "adamw.b1 is 7.0; it is a decay"),
        ("adamw", {"b2": 1.0}, "adamw.b2 is 1.0; it is a decay"),
        ("adamw", {"b2": -0.1}, "adamw.b2 is -0.1"),
        ("adamw", {"eps": 0.0}, "adamw.eps is 0.0"),
        ("adamw", {"weight_decay": -5.0}, "adamw.weight_decay is -5.0"),
        ("adafactor", {"clipping_threshold": 0.0}, "clipping_threshold is 0.0"),
        ("adafactor", {"momentum": 1.5}, "adafactor.momentum is 1.5"),
        ("muon", {"beta": 1.5}, "muon.beta is 1.5"),
        ("muon", {"ns_steps": 0}, "muon.ns_steps is 0"),
        ("muon", {"consistent_rms": -0.2}, "muon.consistent_rms is -0.2"),
    ],
)
def test_numbers_out_of_range_are_refused(optimizer, bound, message):
    with pytest.raises(UsageError, match=message):
        getattr(optimizers, optimizer)(optax.constant_schedule(0.1), **bound)


@pytest.mark.unchecked  # no function is given where one is wanted
def test_an_optimiser_with_a_schedule_of_its_own_is_refused():
    schedule = optax.constant_schedule(1e-3)
    with pytest.raises(UsageError, match="without parentheses"):
        optimizers.optimizer_of(optimizers.adamw(schedule), schedule)
    assert optimizers.optimizer_of(optimizers.adamw, schedule).update
