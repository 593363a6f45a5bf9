"""Fingerprints: every bit counts, the mesh does not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from sightline.launch.runs.fingerprint import fingerprints

KINDS = {
    "float32": np.random.default_rng(0).normal(size=(16, 8)).astype(np.float32),
    "bfloat16": jnp.linspace(-1, 1, 128, dtype=jnp.bfloat16).reshape(16, 8),
    "int32": np.arange(128, dtype=np.int32).reshape(16, 8) - 64,
    "uint32": np.arange(128, dtype=np.uint32).reshape(16, 8) << 24,
    "int8": np.arange(128, dtype=np.int8).reshape(16, 8),
    "bool": np.arange(128).reshape(16, 8) % 3 == 0,
}


def one(array):
    return fingerprints({"x": jnp.asarray(array)})["x"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_flip_is_seen(kind):
    array = np.asarray(KINDS[kind])
    before = one(array)
    flips = np.random.default_rng(1)
    for _ in range(20):
        raw = bytearray(array.tobytes())
        bit = 0 if kind == "bool" else flips.integers(8)
        raw[flips.integers(len(raw))] ^= 1 << bit
        changed = np.frombuffer(bytes(raw), array.dtype).reshape(array.shape)
        assert one(changed) != before


def test_moved_elements_are_seen():
    array = KINDS["float32"]
    seen = {one(x) for x in (array, array[::-1], array[:, ::-1], np.roll(array, 1))}
    assert len(seen) == 4
    assert one(np.zeros(4, np.float32)) != one(np.zeros(5, np.float32))
    assert one(np.float32(0.0)) != one(np.float32(-0.0))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spec", [("a",), (None, "b"), ("b", "a"), (("a", "b"),)])
def test_the_mesh_does_not_count(kind, spec):
    mesh = jax.make_mesh((4, 2), ("a", "b"), axis_types=(AxisType.Auto,) * 2)
    sharded = jax.device_put(KINDS[kind], NamedSharding(mesh, PartitionSpec(*spec)))
    assert one(sharded) == one(KINDS[kind])


def test_keys_and_scalars():
    found = {one(jax.random.key(seed)) for seed in range(4)} | {one(jnp.int32(7))}
    assert len(found) == 5
    assert one(jax.random.key(3)) == one(jax.random.key(3))


def test_nan_has_bits_too():
    quiet = np.array([0x7FC00000, 0x7FC00001], np.uint32).view(np.float32)
    assert one(quiet[:1]) != one(quiet[1:])
