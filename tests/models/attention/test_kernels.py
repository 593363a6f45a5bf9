"""Kernels against the reference, outputs and all gradients: the TPU's, interpreted, and
tokamax's masks, by its implementation in plain XLA, where it is installed.
"""

import functools
import importlib.util

import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from jax.sharding import AxisType

from sightline.models.attention import interval
from sightline.models.attention.blocks import Blocks, blocks_for, walk_of
from sightline.models.attention.gpu import gpu_attention
from sightline.models.attention.pallas import pallas_attention
from sightline.models.attention.reference import reference_attention
from sightline.models.axes import MESH_AXES
from sightline.objectives import registry

pytestmark = pytest.mark.unchecked

B, T, S, K = 2, 20, 28, 8
BLOCKS = Blocks(queries=8, keys=8)
interpreted = functools.partial(pallas_attention, blocks=BLOCKS, interpret=True)


def tensors(slots: int, memory: int, heads: int, groups: int, dtype=jnp.float32):
    """q, k, v, and the gradient of the output."""
    rng = np.random.default_rng(0)
    keys = (B, memory, groups, K)
    shapes = (B, slots, heads, K), keys, keys, (B, slots, heads, K)
    return tuple(jnp.asarray(rng.normal(size=shape), dtype) for shape in shapes)


@functools.cache
def passes(attend):
    """Output, and gradients of q, k and v, as one program."""

    def both(q, k, v, d_out, start, stop):
        out, back = jax.vjp(lambda *x: attend(*x, start, stop), q, k, v)
        return out, *back(d_out)

    return jax.jit(both)


def agree(tensors, start, stop, *, tolerance=1e-5, attend=interpreted):
    found = passes(attend)(*tensors, start, stop)
    expected = passes(reference_attention)(*tensors, start, stop)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == theirs.dtype
        ours, theirs = (np.asarray(x, np.float32) for x in (ours, theirs))
        np.testing.assert_allclose(ours, theirs, atol=tolerance, rtol=tolerance)
    empty = np.maximum(start, 0) >= np.minimum(stop, tensors[1].shape[1])
    for of_queries in found[:2]:
        assert not np.asarray(of_queries, np.float32)[empty].any()


ends = arrays(np.int32, (B, T), elements=st.integers(-2, S + 2))


@pytest.mark.parametrize(("heads", "groups"), [(2, 2), (3, 1)])
@hypothesis.given(ends, ends)
@hypothesis.settings(deadline=None, max_examples=30)
def test_any_intervals(heads, groups, start, stop):
    agree(tensors(T, S, heads, groups), start, stop)


short = st.tuples(st.integers(0, S), st.integers(0, 5))


@hypothesis.given(st.lists(short, min_size=B * T, max_size=B * T))
@hypothesis.settings(deadline=None, max_examples=20)
def test_short_intervals_in_any_order(each):
    """Blocks that lie between seen ones and are not seen themselves."""
    start, size = np.array(each, np.int32).T.reshape(2, B, T)
    agree(tensors(T, S, 4, 2), start, np.minimum(start + size, S))


def test_bfloat16():
    start, stop = np.zeros((B, T), np.int32), np.full((B, T), S, np.int32)
    start[0, 3], stop[1, 5] = 9, 0
    agree(tensors(T, S, 4, 2, jnp.bfloat16), start, stop, tolerance=3e-2)


def test_huge_scores_stay_finite():
    q, k, v, d_out = tensors(T, S, 4, 2)
    start, stop = np.zeros((B, T), np.int32), np.full((B, T), 2, np.int32)
    # The unseen keys score far higher than the seen ones, in a block of theirs.
    k = k.at[:, 2:].multiply(1e6)
    found = passes(interpreted)(q * 1e4, k, v, d_out, start, stop)
    assert all(np.isfinite(x).all() for x in found)


def test_gradients_in_batches():
    """An audit of who sees whom takes many gradients at once."""
    q, k, v, d_out = tensors(T, S, 4, 2)
    start, stop = np.zeros((B, T), np.int32), np.full((B, T), S, np.int32)

    def pullbacks(attend):
        back = jax.vjp(lambda *x: attend(*x, start, stop), q, k, v)[1]
        return jax.vmap(back)(jnp.stack([d_out, -2 * d_out]))

    ours, theirs = (
        jax.jit(functools.partial(pullbacks, attend))()
        for attend in (interpreted, reference_attention)
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5, rtol=1e-5)


coarser = functools.partial(
    pallas_attention, blocks=Blocks(queries=16, keys=32), interpret=True
)
needs_tokamax = pytest.mark.skipif(
    importlib.util.find_spec("tokamax") is None, reason="tokamax is not installed"
)
masked_by_tokamax = pytest.param(
    functools.partial(gpu_attention, kernel="xla_chunked"), marks=needs_tokamax
)


@pytest.mark.parametrize("attend", [coarser, masked_by_tokamax])
@pytest.mark.parametrize("name", sorted(registry.objectives()))
def test_packed_rows_of_every_objective(name, attend, packed):
    for rows in packed(name):
        assert len(np.unique(rows.start)) > 1  # several Examples a row
        agree(tensors(64, 64, 4, 2), rows.start, rows.stop, attend=attend)


on_the_mesh = functools.partial(interval._divided, interpreted)


def test_a_mesh_gives_the_same():
    mesh = jax.make_mesh((1, 2, 2, 2), MESH_AXES, axis_types=(AxisType.Auto,) * 4)
    rng = np.random.default_rng(0)
    start = rng.integers(0, S, (B, T)).astype(np.int32)
    stop = rng.integers(0, S + 1, (B, T)).astype(np.int32)
    with jax.set_mesh(mesh):
        agree(tensors(T, S, 4, 2), start, stop, attend=on_the_mesh)


def test_the_walk_covers_what_is_seen_and_little_more():
    start = np.array([[0, 0, 17, 9, 0, 30, 5, 5]], np.int32)
    stop = np.array([[0, 3, 18, 12, 0, 10, 5, 4]], np.int32)
    walk = walk_of(jnp.stack([start, stop], 1), blocks=Blocks(2, 8), memory=32)
    first, last, seen_first, seen_last = (np.asarray(x).tolist() for x in walk)
    # Slots 4 to 7 see nothing, the last four blocks of queries have two slots each.
    assert list(zip(first, last, strict=True)) == [(0, 1), (1, 3), (4, 4), (4, 4)]
    assert list(zip(seen_first, seen_last, strict=True)) == [
        *((0, 1), (1, 2), (1, 2)),
        (4, 4),
    ]


@pytest.mark.parametrize(
    ("heads", "slots", "memory", "expected"),
    [
        (1, 2048, 2048, (512, 512)),
        (4, 2048, 2048, (256, 256)),
        (8, 32768, 32768, (128, 256)),
        (32, 2048, 2048, (128, 128)),
        (1, 130, 600, (256, 512)),
        (1, 1, 100, (128, 128)),
    ],
)
def test_blocks(heads, slots, memory, expected):
    assert blocks_for(heads_a_group=heads, slots=slots, memory=memory) == expected


def calls(jaxpr) -> int:
    """How often a program calls the forward kernel."""
    found = 0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "pallas_call":
            found += "interval_attention_forward" in str(equation.params["name"])
        for inner in jax.tree.leaves(list(equation.params.values())):
            found += calls(inner) if hasattr(inner, "eqns") else 0
    return found


@pytest.mark.parametrize(("kept", "runs"), [(("attention",), 1), ((), 2)])
def test_where_its_output_is_kept_the_kernel_runs_once(kept, runs):
    start, stop = np.zeros((B, T), np.int32), np.full((B, T), S, np.int32)

    def loss(q, k, v):
        return jnp.square(interpreted(q, k, v, start, stop)).sum()

    policy = jax.checkpoint_policies.save_only_these_names(*kept)
    rematerialised = jax.checkpoint(loss, policy=policy)
    program = jax.make_jaxpr(jax.value_and_grad(rematerialised))
    assert calls(program(*tensors(T, S, 4, 2)[:3])) == runs
