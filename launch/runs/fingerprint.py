"""Fingerprints of arrays, and the manifest that shows damage to a checkpoint."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Shaped, UInt32

from ...tasks.recorded.identity import digest_of

_UNSIGNED = {1: jnp.uint8, 2: jnp.uint16, 4: jnp.uint32, 8: jnp.uint64}


def fingerprints(arrays: Mapping[str, Shaped[Array, "..."]]) -> dict[str, int]:
    """A fingerprint of every array, computed on the arrays' devices.

    `Σ_i mix(bits_i ⊕ mix(i)) mod 2³²` over all elements i: a sum, so that it is the
    same on every mesh, and of mixed words, so that moved or swapped elements show.
    `mix` is a bijection, so a change of one element is always seen, any other one
    with probability 1 - 2⁻³².

    Args:
      arrays: floats, integers, booleans or PRNG keys, sharded in any way.
    """
    return {name: int(value) for name, value in _all(dict(arrays)).items()}


@jax.jit
def _all(arrays: dict[str, Array]) -> dict[str, UInt32[Array, ""]]:
    return {name: fingerprint(array) for name, array in arrays.items()}


def fingerprint(array: Shaped[Array, "..."]) -> UInt32[Array, ""]:
    """The fingerprint of one array; may be traced."""
    if jnp.issubdtype(array.dtype, jax.dtypes.prng_key):
        array = jax.random.key_data(array)
    if array.dtype == jnp.bool_:
        array = array.astype(jnp.uint8)
    bits = jax.lax.bitcast_convert_type(array, _UNSIGNED[array.dtype.itemsize])
    index = jnp.zeros(bits.shape, jnp.uint32)
    for axis, size in enumerate(bits.shape):
        index = index * jnp.uint32(size)
        index += jax.lax.broadcasted_iota(jnp.uint32, bits.shape, axis)
    index = _mix(index + jnp.uint32(0x9E3779B9))
    word = _mix(bits.astype(jnp.uint32) ^ index)
    if bits.dtype == jnp.uint64:
        word += _mix((bits >> 32).astype(jnp.uint32) ^ _mix(index))
    return jnp.sum(word, dtype=jnp.uint32)


def _mix(word: UInt32[Array, "..."]) -> UInt32[Array, "..."]:
    """A bijection of 32 bits in which every input bit moves half the output bits.

    The finaliser of MurmurHash3 (Appleby 2011, public domain).
    """
    word = (word ^ (word >> 16)) * jnp.uint32(0x85EBCA6B)
    word = (word ^ (word >> 13)) * jnp.uint32(0xC2B2AE35)
    return word ^ (word >> 16)


def make_manifest(
    arrays: Mapping[str, jax.Array],
    data: dict[str, Any],
    fingerprints: Mapping[str, int],
    *,
    step: int,
) -> dict[str, Any]:
    """Shape, type and fingerprint of each array; digests of the data and of itself.

    The step stands inside, since a folder can be renamed.
    """
    entries = {
        name: {
            "shape": list(array.shape),
            "dtype": str(array.dtype),
            "fingerprint": fingerprints[name],
        }
        for name, array in arrays.items()
    }
    manifest = {"step": step, "arrays": entries, "data": digest_of(data)}
    return {**manifest, "digest": digest_of(manifest)}


def manifest_damage(manifest: Any, data: Any, *, step: int) -> str | None:
    """What is wrong with a manifest or its data; None if nothing is.

    Args:
      manifest: as it was read.
      data: that it goes with.
      step: by the name of the checkpoint's folder.
    """
    parts = {"step", "arrays", "data"}
    if not isinstance(manifest, dict) or not parts <= manifest.keys():
        return "its manifest is damaged"
    body = {key: value for key, value in manifest.items() if key != "digest"}
    if manifest.get("digest") != digest_of(body):
        return "its manifest is damaged"
    if body["data"] != digest_of(data):
        return "its data position is damaged"
    if body["step"] != step:
        return f"it is the checkpoint of step {body['step']}, renamed or copied"
    return None
