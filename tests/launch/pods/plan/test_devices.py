"""Peak speeds of devices, and how the chips of a slice lie on hosts."""

import dataclasses

import pytest

from sightline.launch.pods.plan.devices import GPUS, TPUS, _host, speeds_of
from sightline.launch.pods.plan.generations import GENERATIONS
from sightline.launch.pods.plan.names import Slices, shapes, topology


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("NVIDIA H100 80GB HBM3", GPUS["H100"]),
        ("NVIDIA H200", GPUS["H200"]),
        ("NVIDIA A100-SXM4-40GB", GPUS["A100"]),
        ("cpu", None),
        ("TPU v3", None),
    ],
)
def test_devices_are_known_by_what_jax_calls_them(kind, expected):
    assert speeds_of(kind) == expected


@pytest.mark.parametrize(("kind", "name"), TPUS.items())
def test_two_devices_of_a_chip_share_what_it_has(kind, name):
    found, chip = speeds_of(kind), GENERATIONS[name]
    assert found is not None
    whole = [chip.flops, chip.hbm_bandwidth, chip.link_bandwidth, chip.dcn_bandwidth]
    parts = 2 if name == "tpu7x" else 1
    assert [parts * each for each in dataclasses.astuple(found)] == whole


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("v5e-1", (1, 1, 1)),
        ("v5e-8", (2, 4, 1)),
        ("v5e-4", (2, 2, 1)),
        ("v5e-64", (2, 2, 1)),
        ("v5p-64", (2, 2, 1)),
    ],
)
def test_a_small_slice_has_one_host(name, host):
    found = topology(name)
    assert isinstance(found, Slices) and _host(found) == host


@pytest.mark.parametrize("name", GENERATIONS)
def test_shapes_are_of_whole_cubes_or_squares_and_of_no_two_names(name):
    """Every number of chips has one shape, the most compact of its size."""
    generation = GENERATIONS[name]
    found = shapes(generation)
    assert len(found) == len(set(found))
    for edges in found:
        assert list(edges) == sorted(edges) or edges == (2, 2, 1)
        for edge, most in zip(sorted(edges), sorted(generation.largest), strict=True):
            assert edge <= most
    large = [edges for edges in found if min(edges) >= 4]
    if generation.dimensions == 3:
        assert all(edge % 4 == 0 for edges in large for edge in edges)
        assert tuple(sorted(generation.largest)) in large
    else:
        assert all(b in (a, 2 * a) for a, b in large)
        assert large[-1] == generation.largest


@pytest.mark.parametrize(
    ("name", "edges"),
    [
        # Of 16 × 8 × 4, 8 × 8 × 8 and others the cube.
        ("v5p-1024", (8, 8, 8)),
        ("v5p-256", (4, 4, 8)),
        ("v5e-32", (4, 8)),
        ("v6e-128", (8, 16)),
        ("tpu7x-64", (2, 4, 4)),
        ("v4-16", (2, 2, 2)),
    ],
)
def test_a_number_of_chips_or_cores_is_the_most_compact_slice(name, edges):
    found = topology(name)
    assert isinstance(found, Slices) and found.edges == edges
    # Its own name says the same.
    assert found.name.startswith(f"{name} (")
