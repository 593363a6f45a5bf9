"""Meshes of the eight emulated devices."""

import math

import pytest
from hypothesis import given, strategies as st
from jax.sharding import AxisType

from sightline.launch.training.mesh import (
    MeshShape,
    abstract_mesh,
    check_rows,
    make_mesh,
)
from sightline.models.axes import MESH_AXES as AXES
from sightline.objectives.errors import UsageError


@pytest.mark.parametrize(
    "shape, sizes",
    [
        (MeshShape(data=8), (8, 1, 1, 1)),
        (MeshShape(data=-1), (8, 1, 1, 1)),
        (MeshShape(data=2, fsdp=-1, tensor=2), (2, 2, 1, 2)),
        (MeshShape(data=1, fsdp=2, sequence=2, tensor=2), (1, 2, 2, 2)),
    ],
)
def test_shapes(shape, sizes):
    mesh = make_mesh(shape)
    assert mesh.axis_names == ("data", "fsdp", "sequence", "tensor")
    assert tuple(mesh.shape.values()) == sizes
    assert mesh.axis_types == (AxisType.Auto,) * 4


@pytest.mark.parametrize(
    "shape", [MeshShape(data=3), MeshShape(data=16), MeshShape(data=-1, tensor=3)]
)
def test_too_few_devices(shape):
    with pytest.raises(ValueError, match=r"there are 8 \(cpu\).*JAX_NUM_CPU_DEVICES="):
        make_mesh(shape)


@pytest.mark.parametrize("sizes", [{"data": -1, "fsdp": -1}, {"data": 0}, {"fsdp": -2}])
def test_sizes_that_mean_nothing(sizes):
    with pytest.raises(ValueError, match="at most one"):
        MeshShape(**sizes)


@pytest.mark.parametrize("slices", [0, -1])
def test_slices_that_mean_nothing(slices):
    with pytest.raises(UsageError, match="MeshShape"):
        MeshShape(slices=slices)


@given(
    st.lists(st.integers(1, 3), min_size=4, max_size=4),
    st.integers(1, 3),
    st.sampled_from([None, *AXES]),
)
def test_the_fewest_devices_are_enough_and_no_fewer_are(drawn, slices, inferred):
    sizes = dict(zip(AXES, drawn, strict=True))
    sizes["data"] *= slices
    shape = MeshShape(**sizes | ({inferred: -1} if inferred else {}), slices=slices)
    mesh = abstract_mesh(shape, devices=shape.fewest)
    assert math.prod(mesh.shape.values()) == shape.fewest
    for fewer in range(1, shape.fewest):
        with pytest.raises(UsageError):
            abstract_mesh(shape, devices=fewer)


def test_slots_that_do_not_divide(make_program):
    program = make_program("decoder", mesh={"sequence": 3})
    with pytest.raises(UsageError, match=r"slots\) is 64, which does not divide by 3"):
        _ = program.batch_shardings


def test_rows_are_dealt_out_evenly():
    mesh = make_mesh(MeshShape(data=2, fsdp=2, tensor=2))
    check_rows(16, microbatches=2, mesh=mesh)
    with pytest.raises(ValueError, match=r"train\.batch_rows=12"):
        check_rows(12, microbatches=2, mesh=mesh)
