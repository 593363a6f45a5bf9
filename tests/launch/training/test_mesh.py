"""Meshes of the eight emulated devices."""

import pytest
from jax.sharding import AxisType

from sightline.launch.training.mesh import MeshShape, check_rows, make_mesh


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


@pytest.mark.parametrize("shape", [MeshShape(data=-1, fsdp=-1), MeshShape(data=0)])
def test_sizes_that_mean_nothing(shape):
    with pytest.raises(ValueError, match="at most one"):
        make_mesh(shape)


def test_rows_are_dealt_out_evenly():
    mesh = make_mesh(MeshShape(data=2, fsdp=2, tensor=2))
    check_rows(16, microbatches=2, mesh=mesh)
    with pytest.raises(ValueError, match=r"train\.batch_rows=12"):
        check_rows(12, microbatches=2, mesh=mesh)
