"""A bias by distance in the TPU's kernel, interpreted, against the reference."""

import functools

import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from jax.sharding import AxisType

from sightline.models.attention import DistanceBias, Runs, interval
from sightline.models.attention.blocks import Blocks
from sightline.models.attention.pallas import pallas_attention
from sightline.models.attention.reference import reference_attention
from sightline.models.axes import MESH_AXES
from sightline.models.config import ModelConfig
from sightline.models.relative_bias import RelativeBias
from sightline.objectives import registry

pytestmark = pytest.mark.unchecked

B, T, S, H, G, K = 2, 20, 28, 4, 2, 8
FINE = functools.partial(pallas_attention, blocks=Blocks(8, 8), interpret=True)
COARSE = functools.partial(pallas_attention, blocks=Blocks(16, 32), interpret=True)


def t5_runs(direction: str, *, buckets: int = 8, max_distance: int = 20) -> Runs:
    config = ModelConfig(
        layers=1, d_model=1, heads=1, kv_heads=1, head_dim=8, d_hidden=8,
        position="relative_bias", relative_buckets=buckets,
        relative_max_distance=max_distance,
    )  # fmt: skip
    nowhere = np.zeros((1, 1), np.int32)
    bias = RelativeBias(config, nnx.Rngs(0), direction=direction)
    return bias(nowhere, nowhere).runs


BOTH, PAST = t5_runs("both"), t5_runs("past")


def tensors(runs, *, slots=T, memory=S, heads=H, groups=G, dtype=jnp.float32):
    """q, k, v, values of the bias, and the gradient of the output."""
    rng = np.random.default_rng(0)
    keys, queries = (B, memory, groups, K), (B, slots, heads, K)
    q, k, v, d_out = (
        jnp.asarray(rng.normal(size=shape), dtype)
        for shape in (queries, keys, keys, queries)
    )
    values = rng.normal(size=(heads, len(runs.starts) + 1))
    return q, k, v, jnp.asarray(values, jnp.float32), d_out


def by_reference(q, k, v, start, stop, bias):
    return reference_attention(q, k, v, start, stop, bias=bias.array())


@functools.cache
def passes(attend, runs):
    """Output, and gradients of q, k, v and the values, as one program."""

    def all_of_it(q, k, v, values, d_out, start, stop, *positions):
        def out(q, k, v, values):
            return attend(q, k, v, start, stop, DistanceBias(values, *positions, runs))

        out, back = jax.vjp(out, q, k, v, values)
        return out, *back(d_out)

    return jax.jit(all_of_it)


def agree(tensors, rows, runs, *, attend=FINE, tolerance=2e-5):
    found = passes(attend, runs)(*tensors, *rows)
    expected = passes(by_reference, runs)(*tensors, *rows)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == theirs.dtype
        ours, theirs = (np.asarray(x, np.float32) for x in (ours, theirs))
        np.testing.assert_allclose(ours, theirs, atol=tolerance, rtol=tolerance)
    return found


def some_rows(seed=0, slots=T, memory=S):
    """Intervals and positions of any kind."""
    rng = np.random.default_rng(seed)
    start = rng.integers(0, memory, (B, slots))
    stop = np.minimum(start + rng.integers(0, 20, start.shape), memory)
    places = rng.integers(0, 60, (B, slots)), rng.integers(0, 60, (B, memory))
    return tuple(x.astype(np.int32) for x in (start, stop, *places))


ends = arrays(np.int32, (B, T), elements=st.integers(-2, S + 2))
standing = [arrays(np.int32, (B, size), elements=st.integers(0, 70)) for size in (T, S)]


@pytest.mark.parametrize(("runs", "groups"), [(BOTH, 2), (PAST, 4)])
@hypothesis.given(ends, ends, *standing)
@hypothesis.settings(deadline=None, max_examples=20)
def test_any_intervals_and_positions(runs, groups, start, stop, queries, keys):
    agree(tensors(runs, groups=groups), (start, stop, queries, keys), runs)


def test_more_runs_than_lanes():
    runs = Runs(tuple(range(-40, 101)))
    *_, d_values = agree(tensors(runs), some_rows(), runs)
    assert np.count_nonzero(d_values.any(0)) > 60


def test_bfloat16_and_a_group_of_many_heads():
    inputs = tensors(BOTH, heads=3, groups=1, dtype=jnp.bfloat16)
    agree(inputs, some_rows(), BOTH, tolerance=5e-2)


def test_lanes_of_a_whole_block():
    """Blocks as on a TPU, two columns of lanes each."""
    attend = functools.partial(
        pallas_attention, blocks=Blocks(256, 128), interpret=True
    )
    runs = t5_runs("both", buckets=32, max_distance=128)
    slots = np.arange(300, dtype=np.int32) * np.ones((B, 1), np.int32)
    rows = np.zeros_like(slots), np.full_like(slots, 300), slots, slots
    inputs = tensors(runs, slots=300, memory=300, heads=2, groups=1)
    agree(inputs, rows, runs, attend=attend, tolerance=1e-4)


@pytest.mark.parametrize("name", sorted(registry.objectives()))
def test_packed_rows_of_every_objective(name, packed):
    for rows in packed(name):
        if rows.positions is not None:
            inputs = tensors(BOTH, slots=64, memory=64)
            agree(inputs, rows, BOTH, attend=COARSE)


on_the_mesh = functools.partial(interval._divided, FINE)


def divided(q, k, v, start, stop, bias):
    return on_the_mesh(q, k, v, start, stop, bias=bias)


def test_a_mesh_gives_the_same():
    """Heads, rows and queries apart: values are summed over rows and queries."""
    mesh = jax.make_mesh((1, 2, 2, 2), MESH_AXES, axis_types=(AxisType.Auto,) * 4)
    with jax.set_mesh(mesh):
        agree(tensors(BOTH), some_rows(), BOTH, attend=divided)


def test_gradients_in_batches():
    q, k, v, values, d_out = tensors(BOTH)
    start, stop, *positions = some_rows()

    def pullbacks(attend):
        def out(q, values):
            return attend(q, k, v, start, stop, DistanceBias(values, *positions, BOTH))

        back = jax.vjp(out, q, values)[1]
        return jax.vmap(back)(jnp.stack([d_out, -2 * d_out]))

    ours, theirs = (
        jax.jit(functools.partial(pullbacks, attend))()
        for attend in (FINE, by_reference)
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=4e-5, rtol=2e-5)


@pytest.mark.parametrize("runs", [BOTH, PAST, Runs((5,)), Runs((-9, -2, -1, 0, 40))])
def test_the_run_of_a_distance(runs):
    distance = np.arange(-80, 81)
    expected = np.searchsorted(runs.starts, distance, side="right")
    np.testing.assert_array_equal(runs.of(jnp.asarray(distance)), expected)
