"""Operations, traffic, bounds and state, against what is known of small programs."""

import dataclasses
import math
import types

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from sightline.launch.pods.plan.devices import Cluster, Speeds
from sightline.launch.pods.plan.hlo import Collective
from sightline.launch.pods.plan.hlo_text import parse
from sightline.launch.pods.plan.loops import Loop
from sightline.launch.pods.plan.model_operations import (
    model_operations,
    program_operations,
)
from sightline.launch.pods.plan.operations import operations, silent_kernels
from sightline.launch.pods.plan.roofline import links, roofline
from sightline.launch.pods.plan.state import state_of
from sightline.launch.pods.plan.traffic import traffic

A, B, C = 24, 40, 56


def module(function, *shapes):
    arguments = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    return parse(jax.jit(function).lower(*arguments).compile().as_text())


@pytest.mark.parametrize(
    ("function", "shapes", "expected"),
    [
        (jnp.matmul, ((A, B), (B, C)), 2 * A * B * C),
        (jnp.matmul, ((5, A, B), (5, B, C)), 2 * 5 * A * B * C),
        (lambda a: a.T @ a, ((A, B),), 2 * A * B * B),
        (
            lambda a, b: jax.lax.scan(lambda x, _: (x @ b, None), a, length=9)[0],
            ((A, B), (B, B)),
            9 * 2 * A * B * B,
        ),
        (jnp.sin, ((A, B),), 0),
    ],
)
def test_operations_of_products(function, shapes, expected):
    assert operations(module(function, *shapes)) == expected
    arguments = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    assert program_operations(jax.make_jaxpr(function)(*arguments)) == expected


CONVOLUTION = """HloModule tiny

ENTRY %main (a: bf16[4,16,8,32], b: bf16[4,16,8,64]) -> f32[4,16,32,64] {{
  %a = {left} parameter(0)
  %b = {right} parameter(1)
  ROOT %c = {out} convolution(%a, %b), {how}
}}
"""


@pytest.mark.parametrize(
    ("left", "right", "out", "how", "expected"),
    [
        # [B H] as window positions of which each output meets one: a batched product.
        (
            "bf16[4,16,32,8]{0}",
            "bf16[4,16,8,64]{0}",
            "f32[4,16,32,64]{0}",
            "window={size=4x16 stride=3x15 lhs_dilate=4x16}, "
            "dim_labels=01bf_01io->01bf",
            2 * 4 * 16 * 32 * 64 * 8,
        ),
        (
            "bf16[32,8]{0}",
            "bf16[8,64]{0}",
            "f32[32,64]{0}",
            "dim_labels=bf_io->bf",
            2 * 32 * 8 * 64,
        ),
    ],
)
def test_products_that_are_written_as_convolutions(left, right, out, how, expected):
    text = CONVOLUTION.format(left=left, right=right, out=out, how=how)
    assert operations(parse(text)) == expected


def test_kernels_state_what_they_compute():
    text = (
        "HloModule k\n\nENTRY %main (a: f32[8]) -> f32[8] {\n"
        "  %a = f32[8]{0} parameter(0)\n"
        "  ROOT %k = f32[8]{0} custom-call(%a), "
        'custom_call_target="tpu_custom_call", backend_config={STATED}\n}\n'
    )
    silent = parse(text.replace("STATED", ""))
    stated = parse(text.replace("STATED", '"cost_estimate":{"flops":"123"}'))
    assert (operations(silent), silent_kernels(silent)) == (0, ["k"])
    assert (operations(stated), silent_kernels(stated)) == (123, [])


@pytest.mark.parametrize("architecture", ["decoder", "encoder_decoder"])
def test_a_step_that_recomputes_nothing_does_what_the_model_asks(
    make_program, architecture
):
    program = make_program(architecture)
    compiled = program.compile_train_step()
    assert operations(parse(compiled.as_text())) == model_operations(program)


@pytest.mark.parametrize("chunk", [7, 48, 64])
def test_what_fills_a_chunk_of_the_loss_is_not_the_models(make_program, chunk):
    program = make_program("encoder_decoder")
    model = dataclasses.replace(program.model, loss_chunk=chunk)
    chunked = dataclasses.replace(program, model=model)
    assert model_operations(chunked) == model_operations(program)


def test_recomputation_is_work_but_not_the_models(make_program):
    program = make_program("decoder")
    model = dataclasses.replace(program.model, remat="full")
    again = dataclasses.replace(program, model=model)
    asked = model_operations(again)
    assert asked == model_operations(program)
    # The table of this tiny model, which nothing computes again, is most of it.
    done = operations(parse(again.compile_train_step().as_text()))
    assert 1.1 * asked < done < 4 / 3 * asked


def test_traffic_of_an_elementwise_program():
    assert traffic(module(lambda a, b: a + b, (A, B), (A, B))) == 3 * A * B * 4


def test_traffic_counts_slices_only():
    def last(stack, x):
        return jax.lax.dynamic_update_slice(stack, x[None] * 2, (3, 0, 0))

    arguments = [
        jax.ShapeDtypeStruct(shape, jnp.float32) for shape in ((99, A, B), (A, B))
    ]
    lowered = jax.jit(last, donate_argnums=0).lower(*arguments)
    moved = traffic(parse(lowered.compile().as_text()))
    assert moved <= 4 * A * B * 4 < 99 * A * B * 4


def test_traffic_leaves_out_other_memories():
    text = (
        "HloModule v\n\nENTRY %main (a: f32[64]) -> f32[64] {\n"
        "  %a = f32[64]{0} parameter(0)\n"
        "  %b = f32[64]{0:T(128)S(1)} negate(%a)\n"
        "  ROOT %c = f32[64]{0} negate(%b)\n}\n"
    )
    assert traffic(parse(text)) == 2 * 64 * 4


def collective(**changes) -> Collective:
    fields = {
        "kind": "all-gather",
        "bytes": 1000,
        "role": "layers",
        "loops": (Loop("layers", 3, "while"),),
        "axes": ("fsdp",),
        "members": (0, 1, 2, 3),
        "crosses_slices": False,
        "dtype": "bf16",
        "op_name": "",
        "placed": 0,
        "name": "x",
    }
    return Collective(**{**fields, **changes})


def torus(wrap: tuple[bool, ...]) -> Cluster:
    devices = [types.SimpleNamespace(coords=(x, y)) for x in range(2) for y in range(2)]
    speeds = Speeds(flops=1e3, hbm=1e2, link=10.0, dcn=5.0)
    return Cluster("torus", devices, 4, None, speeds, wrap)


@pytest.mark.parametrize(
    ("members", "wrap", "expected"),
    [
        ((0, 1, 2, 3), (True, True), 4),
        ((0, 1), (True, True), 2),
        ((0, 2), (False, True), 1),
        ((0, 1, 2, 3), (False, False), 2),
        ((0, 1), (), 1),
    ],
)
def test_links_of_a_collective(members, wrap, expected):
    assert links(collective(members=members), torus(wrap)) == expected


def test_bounds_and_what_sets_them():
    cluster = torus((False, False))
    assert cluster.speeds
    bounds = roofline(
        operations=2e3,
        traffic=50.0,
        collectives=[collective(), collective(crosses_slices=True, loops=())],
        cluster=cluster,
        speeds=cluster.speeds,
    )
    assert bounds.compute == 2.0
    assert bounds.hbm == 0.5
    assert bounds.ici == pytest.approx(3 * 750 / (2 * 10.0))
    assert bounds.dcn == 750 / 5.0
    assert (bounds.seconds, bounds.bound) == (150.0, "dcn")


@pytest.mark.parametrize("mesh", [{"fsdp": 8}, {"fsdp": 2, "tensor": 4}, {"data": 8}])
def test_state_is_what_the_rules_of_sharding_say(make_program, mesh):
    program = make_program("decoder", mesh=mesh)
    state = state_of(program)

    def by_rules(path, parameter):
        del path
        axes = parameter.get_metadata()["axes"]
        parts = {"embed": mesh.get("fsdp", 1)}
        parts |= dict.fromkeys(
            ("heads", "kv", "hidden", "vocab"), mesh.get("tensor", 1)
        )
        shards = math.prod(parts.get(axis, 1) for axis in axes)
        return parameter.get_value().size * 4 // shards

    params = jax.tree.map_with_path(
        by_rules,
        program.abstract_state.params,
        is_leaf=lambda node: isinstance(node, nnx.Variable),
    )
    expected = sum(jax.tree.leaves(params))
    assert state.parameter_bytes == expected
    # Two statistics for each parameter, and one counter.
    assert state.optimizer_bytes == 2 * expected + 4


def test_state_is_what_the_compiler_is_given(make_program):
    program = make_program("decoder", mesh={"fsdp": 2, "tensor": 4})
    state = state_of(program)
    memory = program.compile_train_step().memory_analysis()
    held = state.parameter_bytes + state.optimizer_bytes + state.batch
    assert held == pytest.approx(memory.argument_size_in_bytes, rel=0.01)
