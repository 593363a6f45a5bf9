"""Names of topologies, and what has to be set for them."""

import math

import pytest

from sightline.launch.pods.plan import environment
from sightline.launch.pods.plan.generations import GENERATIONS
from sightline.launch.pods.plan.names import Emulated, Here, Slices, topology
from sightline.objectives.errors import UsageError


@pytest.mark.parametrize(
    ("name", "edges", "wrap"),
    [
        ("v5p-8", (2, 2, 1), (False,) * 3),
        ("v5p-64", (2, 4, 4), (False,) * 3),
        ("v5p-128", (4, 4, 4), (True,) * 3),
        ("v5p-640", (4, 4, 20), (True,) * 3),
        ("v5p-3072", (8, 12, 16), (True,) * 3),
        ("v4-1024", (8, 8, 8), (True,) * 3),
        ("v5e-1", (1, 1), (False,) * 2),
        ("v5e-8", (2, 4), (False,) * 2),
        ("v5e-64", (8, 8), (False,) * 2),
        ("v5e-128", (8, 16), (False, True)),
        ("v6e-256", (16, 16), (True, True)),
        ("v5p:4x4x8", (4, 4, 8), (True,) * 3),
        ("tpu7x-128", (4, 4, 4), (True,) * 3),
    ],
)
def test_slices(name, edges, wrap):
    found = topology(name)
    assert isinstance(found, Slices)
    assert (found.edges, found.wrap, found.slices) == (edges, wrap, 1)
    assert found.chips == math.prod(edges)


def test_several_slices():
    found = topology("v5e-64", slices=3)
    assert isinstance(found, Slices)
    assert (found.chips, found.name) == (192, "3 × v5e-64 (8×8)")


def test_without_a_tpu():
    assert topology("cpu-8") == Emulated(8)
    assert topology("here") == Here()


@pytest.mark.parametrize(
    ("name", "slices", "message"),
    [
        ("v5p-100", 1, "no v5p slice has 100 cores; take v5p-64 or v5p-128"),
        ("v5e-65", 1, "take v5e-64 or v5e-128"),
        ("v5e-512", 1, "take v5e-256, or join several"),
        ("v5-128", 1, "did you mean 'v5"),
        ("v5p:4x4x5", 1, "no v5p slice has these edges; did you mean '4x"),
        ("pod", 1, "GENERATION-NUMBER"),
        ("cpu-0", 1, "from 1 to"),
        ("v5e-64", 0, "--slices is 0"),
        ("cpu-8", 2, "--topology=cpu-8 has none"),
    ],
)
def test_what_is_no_topology_is_refused(name, slices, message):
    with pytest.raises(UsageError, match=message):
        topology(name, slices=slices)


def test_every_generation_has_what_is_published():
    for generation in GENERATIONS.values():
        assert 0.9 < generation.usable / generation.hbm < 1.01
        flops_per_byte = generation.flops / generation.hbm_bandwidth
        assert 150 < flops_per_byte < 600


def test_a_missing_compiler_says_what_to_install(monkeypatch):
    monkeypatch.setattr(environment, "libtpu_at", lambda _: None)
    monkeypatch.delenv("TPU_LIBRARY_PATH", raising=False)
    with pytest.raises(UsageError, match=r"pip install 'jax\[tpu\]==.*libtpu==") as e:
        environment.prepare(topology("v5e-8"), {})
    assert "TPU_LIBRARY_PATH" in str(e.value)


def test_a_library_that_is_no_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("TPU_LIBRARY_PATH", str(tmp_path / "none.so"))
    assert environment.libtpu_at() is None
    assert "none.so' is no file" in environment.missing_libtpu()


def test_emulated_devices_are_set_before_jax():
    variables = {"JAX_PLATFORMS": "tpu"}
    environment.prepare(Emulated(8), variables)
    assert variables == {"JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": "8"}
    variables = {"JAX_PLATFORMS": "cuda"}
    environment.prepare(Here(), variables)
    assert variables == {"JAX_PLATFORMS": "cuda"}
