"""A bit that flips in one copy of a parameter is found, and its device named."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from copies import flipped
from jax.sharding import NamedSharding, PartitionSpec as P

from sightline.launch.training.replicas import ReplicaError, check_replicas

SPECS = {
    "sharded": P("fsdp", "tensor"),
    "both": P(("data", "fsdp"), None),
    "whole": P(),
    "half": P(None, "tensor"),
}


@pytest.fixture(scope="module")
def mesh():
    return jax.make_mesh(
        (2, 2, 1, 2),
        ("data", "fsdp", "sequence", "tensor"),
        axis_types=(jax.sharding.AxisType.Auto,) * 4,
    )


def placed(mesh, dtype=jnp.float32):
    values = np.arange(64).reshape(8, 8).astype(dtype)
    return {
        name: jax.device_put(values, NamedSharding(mesh, spec))
        for name, spec in SPECS.items()
    }


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16, jnp.int32])
def test_equal_copies_pass(mesh, dtype):
    check_replicas(placed(mesh, dtype), mesh, step=3)


def test_any_flipped_bit_of_a_copy_is_found_and_its_device_named(mesh):
    rng = np.random.default_rng(0)
    arrays = placed(mesh)
    for _ in range(40):
        name = str(rng.choice(["whole", "half"]))  # four copies or eight
        device = int(rng.integers(8))
        bits = arrays[name].addressable_shards[0].data.nbytes * 8
        wrong = flipped(arrays[name], device=device, bit=int(rng.integers(bits)))
        with pytest.raises(ReplicaError) as error:
            check_replicas({**arrays, name: wrong}, mesh, step=7)
        message = str(error.value)
        assert f"device {device} " in message and f"of host 0: {name}." in message
        assert len(re.findall(r"device \d", message)) == 1


def test_of_two_copies_both_devices_are_named(mesh):
    arrays = placed(mesh)
    wrong = flipped(arrays["sharded"], device=0, bit=5)
    with pytest.raises(ReplicaError, match=r"device 0 .*device 4 ") as error:
        check_replicas({**arrays, "sharded": wrong}, mesh, step=7)
    assert "sharded" in str(error.value)


def test_a_part_without_copies_has_nothing_to_compare(mesh):
    alone = jax.device_put(np.arange(64.0), NamedSharding(mesh, P(mesh.axis_names)))
    check_replicas({"alone": flipped(alone, device=2, bit=9)}, mesh, step=1)


def test_a_training_state_passes(make_program):
    program = make_program("decoder", mesh={"data": 2, "fsdp": 2, "tensor": 2})
    check_replicas(program.initial_state().params, program.mesh, step=0)
