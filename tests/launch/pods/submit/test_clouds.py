"""Slices of TPUs: bounds and hosts, against the tables that Google publishes."""

import pytest

from sightline.launch.pods.plan.generations import GENERATIONS
from sightline.launch.pods.plan.names import shapes
from sightline.launch.pods.submit.clouds import NAMES, slice_of
from sightline.objectives.errors import UsageError

# Accelerator type: bounds, hosts.
PUBLISHED = {
    "v4-8": ("2x2x1", 1),
    "v4-16": ("2x2x2", 2),
    "v4-128": ("4x4x4", 16),
    "v4-4096": ("8x16x16", 512),
    "v5p-8": ("2x2x1", 1),
    "v5p-32": ("2x2x4", 4),
    "v5p-64": ("2x4x4", 8),
    "v5p-128": ("4x4x4", 16),
    "v5p-256": ("4x4x8", 32),
    "v5p-384": ("4x4x12", 48),
    "v5p-512": ("4x8x8", 64),
    "v5p-640": ("4x4x20", 80),
    "v5p-768": ("4x8x12", 96),
    "v5p-1152": ("4x12x12", 144),
    "v5p-1536": ("8x8x12", 192),
    "v5p-2304": ("8x12x12", 288),
    "v5p-3072": ("8x12x16", 384),
    "v5p-3456": ("12x12x12", 432),
    "v5e-1": ("1x1", 1),
    "v5e-4": ("2x2", 1),
    "v5e-8": ("2x4", 2),
    "v5e-64": ("8x8", 16),
    "v6e-16": ("4x4", 4),
    "v6e-256": ("16x16", 64),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_slices(name):
    found = slice_of(name)
    assert (found.topology, found.hosts) == PUBLISHED[name]
    assert found.accelerator_type == name.replace("v5e", "v5litepod")
    assert slice_of(f"{found.generation.name}:{found.topology}") == found


@pytest.mark.parametrize("name", NAMES)
def test_a_slice_has_whole_hosts(name):
    for number in (8, 16, 32, 64, 128, 256):
        found = slice_of(f"{name}-{number}")
        assert found.hosts * found.chips_per_host == found.chips
        assert len(found.bounds) == found.generation.dimensions


@pytest.mark.parametrize("name", NAMES)
def test_a_shape_is_asked_for_where_its_size_means_another(name):
    """Every slice there is: what `gcloud` is told names its own shape."""
    of = GENERATIONS[name]
    unit = of.cores if of.counts_cores else 1
    for edges in shapes(of):
        found = slice_of(f"{name}:{'x'.join(map(str, edges))}")
        asked = dict(option.split("=") for option in found.request)
        if "--topology" in asked:
            assert asked == {
                "--type": NAMES[name].accelerator_type,
                "--topology": found.topology,
            }
            assert slice_of(f"{name}-{found.chips * unit}").bounds != edges
        else:
            number = asked["--accelerator-type"].rpartition("-")[2]
            assert slice_of(f"{name}-{number}").bounds == edges
    assert slice_of("v5p:4x4x16").request == ("--type=v5p", "--topology=4x4x16")


@pytest.mark.parametrize("name", ["cpu-8", "here", "v5p-129", "v5q-8", "h100-8"])
def test_what_no_cloud_has(name):
    with pytest.raises(UsageError, match="--topology"):
        slice_of(name)
