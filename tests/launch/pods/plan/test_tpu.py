"""The real compiler of TPUs, on a tiny model; skipped where it is not installed."""

import dataclasses
import math
import re

import jax
import pytest
from jax.sharding import Mesh

from sightline.launch.pods.plan.cache import Cache
from sightline.launch.pods.plan.compile import compile_step, memory_of, refusal_of
from sightline.launch.pods.plan.generations import GENERATIONS
from sightline.launch.pods.plan.report import report
from sightline.launch.training.mesh import MeshShape, make_mesh
from sightline.models.config import ModelConfig
from sightline.models.rows import decoder_rows, encoder_decoder_rows

pytestmark = pytest.mark.optimised


@pytest.fixture(scope="module")
def on_tpu(tpu, make_program, tmp_path_factory):
    """`on_tpu(cluster, mesh, **changes)`: the report of a tiny program."""
    cache = Cache(tmp_path_factory.mktemp("plan"))

    def plan(cluster, shape: MeshShape, **changes):
        mesh = make_mesh(shape, devices=cluster.devices)
        program = dataclasses.replace(
            make_program("decoder"), mesh=mesh, **{"batch_rows": 32} | changes
        )
        return report(
            program, cluster, compile_step(program, cluster, cache=cache), price=1.0
        )

    return plan


@pytest.mark.parametrize("name", ["v4-8", "v5e-8", "v5p-128", "v6e-4", "tpu7x-8"])
def test_every_generation_has_devices(tpu, name):
    cluster = tpu(name)
    generation = GENERATIONS[name.partition("-")[0]]
    assert len(cluster.devices) == cluster.chips * generation.devices
    assert {device.platform for device in cluster.devices} == {"tpu"}
    places = [device.coords for device in cluster.devices]
    assert max(math.prod(n + 1 for n in place) for place in places) == cluster.chips


def test_axes_may_divide_the_dimensions_of_a_torus(tpu, caplog):
    devices = tpu("v5p-128").devices
    whole = make_mesh(MeshShape(fsdp=16, sequence=4), devices=devices)
    assert "share links" not in caplog.text
    split = make_mesh(MeshShape(fsdp=8, sequence=8), devices=devices)
    assert "share links" in caplog.text
    assert set(whole.devices.flat) == set(split.devices.flat) == set(devices)


def test_a_plan_for_a_tpu(tpu, on_tpu):
    plan = on_tpu(tpu("v5e-4"), MeshShape(fsdp=4))
    assert plan["fits"] and plan["capacity"] == GENERATIONS["v5e"].usable
    assert plan["operations"] == pytest.approx(plan["model_operations"], rel=0.03)
    memory = plan["memory"]
    assert memory["optimizer"] == pytest.approx(2 * memory["parameters"], rel=0.01)
    assert {row["axes"] for row in plan["collectives"]} == {"fsdp"}
    assert plan["bound"] in ("compute", "hbm", "ici")


def test_what_a_step_needs_is_the_compilers_buffer_assignment(tpu, tmp_path):
    """By its own dump, where state is changed in place and a loop carries arrays."""
    device = jax.NamedSharding(Mesh(tpu("v5e-1").devices, ("x",)), jax.P())
    weights = jax.ShapeDtypeStruct((12, 512, 512), "float32", sharding=device)
    rows = jax.ShapeDtypeStruct((2**16, 512), "float32", sharding=device)

    def loss(weights, rows):
        return jax.lax.scan(lambda x, w: (x @ w, None), rows, weights)[0].sum()

    def step(weights, rows):
        return weights - jax.grad(loss)(weights, rows)

    lowered = jax.jit(step, donate_argnums=0).lower(weights, rows)
    compiled = lowered.compile(
        {"xla_dump_to": str(tmp_path), "xla_dump_hlo_as_text": True}
    )
    (file,) = tmp_path.glob("*-buffer-assignment.txt")
    (assigned,) = re.findall(r"size (\d+), preallocated-temp", file.read_text())
    memory = memory_of(compiled.memory_analysis(), "tpu")
    assert memory.temporaries == pytest.approx(int(assigned), rel=1e-3)


def test_the_compiler_refuses_a_program_by_the_same_figure(tpu):
    """12 products fit with .5 GiB to spare, 13 do not, by what one keeps."""
    device = jax.NamedSharding(Mesh(tpu("v5e-1").devices, ("x",)), jax.P())
    rows = jax.ShapeDtypeStruct((2**18, 2048), "bfloat16", sharding=device)

    def loss(weights, rows):
        out = jax.lax.scan(lambda x, w: (x @ w, None), rows, weights)[0]
        return out.astype("float32").sum()

    def compiled(products):
        shape = (products, 2048, 2048)
        weights = jax.ShapeDtypeStruct(shape, "bfloat16", sharding=device)
        return jax.jit(jax.grad(loss)).lower(weights, rows).compile()

    fits = memory_of(compiled(12).memory_analysis(), "tpu")
    assert fits.peak < GENERATIONS["v5e"].usable < fits.at_most
    with pytest.raises(jax.errors.JaxRuntimeError) as error:
        compiled(13)
    refusal = refusal_of(str(error.value))
    assert refusal is not None and not refusal.at_least
    one_more = 2**30 + 2 * 2 * 2048**2  # a layer's input, its weights and gradient
    assert refusal.needed == pytest.approx(fits.peak - fits.code + one_more, rel=1e-3)


def test_kernels_are_gathered_twice_and_the_table_once(tpu, on_tpu):
    """Once forwards and once backwards, in bfloat16; gradients are summed once."""
    model = ModelConfig(
        layers=3,
        d_model=512,
        heads=4,
        kv_heads=4,
        head_dim=128,
        d_hidden=1024,
        remat="full",
    )
    plan = on_tpu(
        tpu("v5p-128"),
        MeshShape(fsdp=64),
        model=model,
        batch_rows=64,
        vocabulary_size=1024,
        rows=decoder_rows(slots=256, predictions=256),
    )
    moved = {(r["role"], r["kind"]): r["bytes"] for r in plan["collectives"]}
    kernels = 3 * (4 * 512 * 512 + 3 * 512 * 1024) * 2
    assert moved["layers", "all-gather"] == 2 * kernels
    # And the scales of norms, which are whole everywhere.
    assert kernels <= moved["layers", "all-reduce"] <= 1.01 * kernels
    table = 1024 * 512 * 2
    # And the ids of all tokens.
    assert table <= moved["outside", "all-gather"] <= 1.1 * table
    # In float32, since a loss in chunks adds up in it.
    assert 2 * table <= moved["outside", "all-reduce"] <= 2.1 * table


@pytest.mark.parametrize("per_layer", [False, True])
def test_scores_with_a_relative_bias_stay_on_the_chip(per_layer, tpu, on_tpu):
    model = ModelConfig(
        layers=2,
        d_model=256,
        heads=4,
        kv_heads=4,
        head_dim=64,
        d_hidden=256,
        position="relative_bias",
        relative_per_layer=per_layer,
    )
    some = {"slots": 256, "predictions": 256}
    rows = encoder_decoder_rows(**some, memory_slots=384, memory_predictions=1)
    plan = on_tpu(
        tpu("v5e-4"),
        MeshShape(fsdp=2, tensor=2),
        model=model,
        batch_rows=128,
        rows=rows,
    )
    assert plan["architecture"] == "encoder_decoder"
    kinds = {finding["kind"] for finding in plan["findings"]}
    assert "scores in memory" not in kinds


def test_slices_are_joined_by_the_data_centre_network(tpu, on_tpu):
    plan = on_tpu(tpu("v5e-1", slices=2), MeshShape(data=2, slices=2))
    (row,) = {(r["link"], r["axes"], r["kind"]) for r in plan["collectives"]}
    assert row == ("dcn", "data", "all-reduce")
    gradients = 4 * plan["parameters"]
    sent = sum(row["bytes"] for row in plan["collectives"])
    # 32 wide, and sent as they lie in memory: filled up to 128 lanes.
    assert gradients <= sent <= 4.1 * gradients
    assert plan["seconds"]["dcn"] > 0


def test_a_program_that_is_too_large_is_refused(tpu):
    cluster = tpu("v5e-1")
    mesh = Mesh(cluster.devices, ("x",))
    whole = jax.NamedSharding(mesh, jax.P())
    big = [jax.ShapeDtypeStruct((2**28,), "float32", sharding=whole)] * 10

    def add(*arrays):
        return [array + 1 for array in arrays]

    lowered = jax.jit(add, out_shardings=whole).lower(*big)
    with pytest.raises(jax.errors.JaxRuntimeError) as error:
        lowered.compile()
    refusal = refusal_of(str(error.value))
    assert refusal is not None
    assert (refusal.needed, refusal.capacity) == (20 * 2**30, cluster.capacity)
    assert refusal.largest[0].bytes == 2**30
