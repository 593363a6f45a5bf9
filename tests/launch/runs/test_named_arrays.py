"""A tree of arrays by name, as checkpoints hold it, and back."""

import re

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import SingleDeviceSharding

from sightline.launch.runs.named_arrays import (
    Mismatch,
    array_structs,
    as_arrays,
    as_tree,
    check_same,
    groups_by_bytes,
)
from sightline.objectives.errors import UsageError


@pytest.fixture(scope="module")
def tree():
    """Parameters in lists and dicts, a counter, and keys of both implementations."""
    return {
        "params": [{"w": jnp.ones((2, 3))}, {"w": jnp.zeros(4, jnp.bfloat16)}],
        "step": jnp.int32(7),
        "keys": (jax.random.key(1), jax.random.split(jax.random.key(2, impl="rbg"), 3)),
    }


def abstract(tree):
    here = SingleDeviceSharding(jax.devices()[0])
    return jax.tree.map(
        lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=here), tree
    )


def test_names_are_paths_and_keys_are_words(tree):
    arrays = as_arrays(tree)
    assert set(arrays) == {
        *("params.0.w", "params.1.w", "step", "keys.0", "keys.1"),
    }
    assert arrays["keys.0"].dtype == arrays["keys.1"].dtype == jnp.uint32
    assert arrays["keys.1"].shape == (3, 4)
    structs = array_structs(abstract(tree))
    assert {n: (s.shape, s.dtype) for n, s in structs.items()} == {
        n: (a.shape, a.dtype) for n, a in arrays.items()
    }


def test_arrays_make_the_same_tree_whatever_their_order(tree):
    arrays = dict(reversed(as_arrays(tree).items()))
    again = as_tree(arrays, abstract(tree))
    assert jax.tree.structure(again) == jax.tree.structure(tree)
    for before, after in zip(*map(jax.tree.leaves, (tree, again)), strict=True):
        assert before.dtype == after.dtype  # of a key: its implementation, too
        if jnp.issubdtype(before.dtype, jax.dtypes.prng_key):
            before, after = map(jax.random.key_data, (before, after))
        np.testing.assert_array_equal(before, after)


def test_an_array_that_could_lie_anywhere_is_refused():
    struct = jax.ShapeDtypeStruct((2,), jnp.float32)
    with pytest.raises(UsageError, match=r"^a\.b must be a .* with a sharding, got"):
        array_structs({"a": {"b": struct}})


@hypothesis.given(
    sizes=st.lists(st.integers(0, 9), min_size=1, max_size=12), most=st.integers(1, 15)
)
def test_groups_are_as_large_as_they_may_be(sizes, most):
    named = {f"a{n}": size for n, size in enumerate(sizes)}
    groups = list(groups_by_bytes(named, most=most))
    assert [name for group in groups for name in group] == list(named)
    totals = [sum(named[name] for name in group) for group in groups]
    for group, total in zip(groups, totals, strict=True):
        assert group and (total <= most or len(group) == 1)
    for total, following in zip(totals, groups[1:], strict=False):
        assert total + named[following[0]] > most


SAVED = {
    "a": {"shape": [2, 3], "dtype": "float32"},
    "b": {"shape": [], "dtype": "int32"},
}


def structs(**changed):
    plain = {"a": ((2, 3), "float32"), "b": ((), "int32"), **changed}
    return {n: jax.ShapeDtypeStruct(*kind) for n, kind in plain.items() if kind}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"a": ((3, 2), "float32")}, "a is float32[2, 3], wanted float32[3, 2]."),
        ({"b": ((), "uint32")}, "b is int32[], wanted uint32[]."),
        ({"b": None}, "b is not wanted."),
        ({"c": ((1,), "int32"), "a": None}, "c is missing; a is not wanted."),
    ],
)
def test_another_state_is_named_array_by_array(changed, told):
    check_same(SAVED, structs())
    with pytest.raises(Mismatch, match=re.escape(f"of another state: {told} Resume")):
        check_same(SAVED, structs(**changed))


def test_of_many_differences_five_are_named():
    others = {f"x{n}": ((), "int32") for n in range(8)}
    with pytest.raises(Mismatch, match=r"x0 is missing; .*x4 is missing and 3 more\."):
        check_same(SAVED, structs(**others))
    with pytest.raises(Mismatch, match=r"x4 is missing\. Resume"):
        check_same(SAVED, structs(**dict(list(others.items())[:5])))
