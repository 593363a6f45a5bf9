"""A tree of arrays as a flat dict by name, and back: the form in a checkpoint.

Names and plain arrays outlive libraries: no class of Flax or Optax is needed to read a
checkpoint. PRNG keys are stored as their words.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from ...objectives.errors import UsageError


class Mismatch(UsageError):
    """A whole checkpoint, but of another model, optimiser or precision."""


def as_arrays(tree: PyTree) -> dict[str, jax.Array]:
    """Every array of a tree by its path, `params.decoder.mlp.gate`."""
    return {
        name: jax.random.key_data(leaf) if _is_key(leaf) else leaf
        for name, leaf in _named(tree).items()
    }


def array_structs(abstract: PyTree) -> dict[str, jax.ShapeDtypeStruct]:
    """The arrays to read for an abstract tree: shapes, types and shardings by name.

    Raises:
      ValueError: a leaf has no sharding. Orbax would guess one.
    """
    structs = {}
    for name, leaf in _named(abstract).items():
        if not isinstance(leaf, jax.ShapeDtypeStruct) or leaf.sharding is None:
            raise UsageError(
                f"{name} must be a jax.ShapeDtypeStruct with a sharding, got {leaf}."
            )
        plain = jax.eval_shape(jax.random.key_data, leaf) if _is_key(leaf) else leaf
        structs[name] = jax.ShapeDtypeStruct(
            plain.shape, plain.dtype, sharding=leaf.sharding
        )
    return structs


def as_tree(arrays: Mapping[str, jax.Array], abstract: PyTree) -> PyTree:
    """The arrays in a tree like the abstract one."""
    leaves = [
        jax.random.wrap_key_data(arrays[name], impl=_implementation(leaf))
        if _is_key(leaf)
        else arrays[name]
        for name, leaf in _named(abstract).items()
    ]
    return jax.tree.unflatten(jax.tree.structure(abstract), leaves)


def groups_by_bytes(sizes: Mapping[str, int], *, most: int) -> Iterator[list[str]]:
    """Names in their order, in groups of at most `most` bytes, or alone if larger.

    Args:
      sizes: bytes of each array.
      most: bytes of a group.
    """
    group: list[str] = []
    held = 0
    for name, nbytes in sizes.items():
        if group and held + nbytes > most:
            yield group
            group, held = [], 0
        group.append(name)
        held += nbytes
    yield group


def check_same(
    saved: Mapping[str, Mapping[str, Any]], structs: Mapping[str, jax.ShapeDtypeStruct]
) -> None:
    """Compares the saved arrays with the wanted ones.

    Args:
      saved: "shape" and "dtype" of each array.
      structs: from `array_structs`.

    Raises:
      Mismatch: arrays are missing, surplus, or of another shape or type.
    """
    wrong = [f"{name} is missing" for name in structs if name not in saved]
    wrong += [f"{name} is not wanted" for name in saved if name not in structs]
    for name, struct in structs.items():
        have = name in saved and (tuple(saved[name]["shape"]), saved[name]["dtype"])
        want = (struct.shape, str(struct.dtype))
        if have and have != want:
            wrong.append(f"{name} is {_spell(have)}, wanted {_spell(want)}")
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise Mismatch(
            f"the checkpoint is of another state: {'; '.join(wrong[:5])}{more}. Resume "
            "with the model and optimiser that saved it, or choose a new run_dir."
        )


def _spell(kind: tuple[tuple[int, ...], str]) -> str:
    return f"{kind[1]}{list(kind[0])}"


def _named(tree: PyTree) -> dict[str, Any]:
    """Leaves by path, in the tree's order."""
    return {
        jax.tree_util.keystr(path, simple=True, separator="."): leaf
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    }


def _is_key(leaf: Any) -> bool:
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _implementation(key: jax.ShapeDtypeStruct) -> Any:
    """The PRNG of an abstract key; JAX gives it for concrete and traced keys only."""
    implementations = []
    jax.eval_shape(lambda k: implementations.append(jax.random.key_impl(k)), key)
    return implementations[0]
