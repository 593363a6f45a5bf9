"""The kernel compiled for TPUs that are not here: it lowers, and no scores are left."""

import re

import jax
import numpy as np
import pytest
from jax.experimental import topologies
from jax.sharding import AxisType, NamedSharding

from sightline.models.attention import DistanceBias, Runs, interval_attention
from sightline.models.axes import MESH_AXES, partition_spec

pytestmark = pytest.mark.unchecked

T, S, H, G, K = 384, 640, 8, 2, 64
RUNS = Runs((*range(-7, 9), 12, 16, 32, 64))

CHIPS = {
    "v4": ("v4:2x2x1", "megacore"),
    "v5e": ("v5e:2x2", "default"),
    "v5p": ("v5:2x2x1", "megacore"),
    "v6e": ("v6e:2x2", "default"),
}
"""Name and chip configuration of a host of four chips of each kind."""


@pytest.fixture
def devices_of(monkeypatch):
    # Else libtpu asks a metadata server that only a cloud machine has.
    monkeypatch.setenv("TPU_SKIP_MDS_QUERY", "1")
    # Other processes may compile as well: nobody takes a TPU.
    monkeypatch.setenv("ALLOW_MULTIPLE_LIBTPU_LOAD", "1")

    def devices(chip):
        name, configuration = CHIPS[chip]
        try:
            return topologies.get_topology_desc(
                platform="tpu",
                topology_name=name,
                chip_config_name=configuration,
                chips_per_host_bounds=(2, 2, 1),
            ).devices
        except RuntimeError as error:
            if "not installed" not in str(error):
                raise
            pytest.skip("libtpu is not installed, or TPU_LIBRARY_PATH names none")

    return devices


def lowered(devices, sizes, *, slots=T, biased=False):
    """Attention and its gradients on a mesh, for devices that need not be here."""
    count = int(np.prod(sizes))
    mesh = jax.make_mesh(
        sizes, MESH_AXES, axis_types=(AxisType.Auto,) * 4, devices=devices[:count]
    )

    def array(shape, dtype, *names):
        sharding = NamedSharding(mesh, partition_spec(names))
        return jax.ShapeDtypeStruct(shape, dtype, sharding=sharding)

    q = array((2, slots, H, K), "bfloat16", "batch", "slots", "heads", None)
    k = array((2, S, G, K), "bfloat16", "batch", None, "kv", None)
    end = array((2, slots), "int32", "batch", "slots")
    values = array((H, len(RUNS.starts) + 1), "float32", "heads", None)
    positions = array((2, S), "int32", "batch", None)

    def gradients(q, k, v, values, d_out, start, stop, *positions):
        def out(q, k, v, values):
            bias = DistanceBias(values, *positions, RUNS) if biased else None
            return interval_attention(q, k, v, start, stop, bias=bias)

        return jax.vjp(out, q, k, v, values)[1](d_out)

    with jax.set_mesh(mesh):
        return jax.jit(gradients).lower(q, k, k, values, q, end, end, end, positions)


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize(
    ("chip", "sizes"),
    [("v4", (1,) * 4), ("v5e", (1, 1, 2, 2)), ("v5p", (1,) * 4), ("v6e", (1,) * 4)],
)
def test_it_compiles_and_keeps_no_scores(chip, sizes, biased, devices_of):
    text = lowered(devices_of(chip), sizes, biased=biased).compile().as_text()
    kernels = {"forward", "backward_queries", "backward_keys"}
    assert set(re.findall(r"interval_attention_(\w+?)[\"./]", text)) == kernels
    assert not scores_in(text, devices=int(np.prod(sizes)))


def scores_in(text: str, *, devices: int) -> set[str]:
    """Shapes of at least half of a device's scores; its queries are a third of that."""
    found = set(re.findall(r"\w+\[([\d,]+)\]", text))
    half = 2 * H * T * S // devices // 2
    return {s for s in found if np.prod([*map(int, s.split(","))]) >= half}


def test_the_platform_is_that_of_the_mesh(devices_of):
    tpu = lowered(devices_of("v5e"), (1,) * 4).as_text()
    assert "tpu_custom_call" in tpu
    assert "tpu_custom_call" not in lowered(jax.devices(), (1,) * 4).as_text()
    step_of_decoding = lowered(devices_of("v5e"), (1,) * 4, slots=1).as_text()
    assert "tpu_custom_call" not in step_of_decoding
