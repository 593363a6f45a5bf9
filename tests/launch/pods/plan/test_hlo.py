"""The reader of compiled HLO, against programs whose collectives are known."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec as P

from sightline.launch.pods.plan.hlo import Collective, collectives
from sightline.launch.pods.plan.hlo_text import parse, shapes
from sightline.launch.pods.plan.replica_groups import replica_groups, spanned_axes

SIZES = {"data": 2, "fsdp": 2, "sequence": 1, "tensor": 2}


@pytest.fixture(scope="module")
def mesh():
    types = (AxisType.Auto,) * 4
    return jax.make_mesh(tuple(SIZES.values()), tuple(SIZES), axis_types=types)


def compiled(mesh, function, *arguments):
    """The text of a function of one device each, its first dimensions split by all."""
    spec = P(tuple(SIZES))
    mapped = jax.shard_map(
        function, mesh=mesh, in_specs=spec, out_specs=spec, check_vma=False
    )
    return jax.jit(mapped).lower(*arguments).compile().as_text()


def only(mesh, function, *arguments) -> Collective:
    (found,) = collectives(compiled(mesh, function, *arguments), mesh)
    return found


X = jax.ShapeDtypeStruct((8 * 4, 6), jnp.float32)
OWN = 4 * 6 * 4
"""Bytes of one device's part of `X`."""


@pytest.mark.parametrize(
    ("kind", "function", "size", "axes", "sent"),
    [
        ("all-gather", lambda x: jax.lax.all_gather(x, "fsdp"), 2 * OWN, "fsdp", OWN),
        ("all-reduce", lambda x: jax.lax.psum(x, "data"), OWN, "data", OWN),
        (
            "reduce-scatter",
            lambda x: jax.lax.psum_scatter(x, "tensor"),
            OWN,
            "tensor",
            OWN / 2,
        ),
        (
            "all-to-all",
            lambda x: jax.lax.all_to_all(x, "fsdp", 0, 0, tiled=True),
            OWN,
            "fsdp",
            OWN / 2,
        ),
        (
            "collective-permute",
            lambda x: jax.lax.ppermute(x, "tensor", [(0, 1), (1, 0)]),
            OWN,
            "tensor",
            OWN,
        ),
    ],
)
def test_one_collective(mesh, kind, function, size, axes, sent):
    if kind == "reduce-scatter":
        argument = jax.ShapeDtypeStruct((8 * 2, 12), jnp.float32)
    else:
        argument = X
    found = only(mesh, function, argument)
    assert (found.kind, found.bytes, found.axes) == (kind, size, (axes,))
    assert (found.group, found.sent, found.dtype) == (2, sent, "f32")
    assert (found.runs, found.role, found.crosses_slices) == (1, "outside", False)


def test_axes_of_a_collective_over_several(mesh):
    found = only(mesh, lambda x: jax.lax.psum(x, ("data", "tensor")), X)
    assert (found.axes, found.group) == (("data", "tensor"), 4)


def scan_stateful(function, x, count):
    return jax.lax.scan(lambda x, _: (function(x), None), x, None, length=count)[0]


@pytest.mark.parametrize("trips", [2, 7])
def test_loops_multiply(mesh, trips):
    def inner(x):
        return jnp.sin(jax.lax.psum(x, "fsdp"))

    def outer(x):
        return jax.lax.psum(scan_stateful(inner, x, trips), "data") * 0.5

    def whole(x):
        return jax.lax.scan(lambda x, _: (outer(x), None), x, None, length=3)[0]

    found = collectives(compiled(mesh, whole, X), mesh)
    by_axes = {one.axes: one for one in found}
    assert by_axes[("fsdp",)].runs == 3 * trips
    assert by_axes[("fsdp",)].role == "layers"
    assert [loop.trips for loop in by_axes[("fsdp",)].loops] == [3, trips]
    assert by_axes[("data",)].runs == 3
    assert by_axes[("fsdp",)].total == 3 * trips * OWN
    assert by_axes[("data",)].total == 3 * OWN


def test_a_loop_that_does_not_show_its_trips_counts_once(mesh):
    def whole(x):
        return jax.lax.while_loop(
            lambda x: x.sum() < 1e6, lambda x: jax.lax.psum(x, "data") + 1, x
        )

    (found,) = collectives(compiled(mesh, whole, X), mesh)
    assert found.runs == 1
    assert found.loops[0].trips is None


@pytest.mark.parametrize("step", [1, 2, 3])
def test_loops_may_count_by_more_than_one(mesh, step):
    def body(state):
        count, x = state
        return count + step, jax.lax.psum(x, "data") * 0.5

    def whole(x):
        return jax.lax.while_loop(lambda state: state[0] < 7, body, (0, x))[1]

    (found,) = collectives(compiled(mesh, whole, X), mesh)
    assert found.runs == len(range(0, 7, step))


def test_the_loops_of_the_train_step_have_their_roles(make_program):
    program = make_program("decoder", mesh={"fsdp": 2}, microbatches=2)
    model = dataclasses.replace(program.model, loss_chunk=16)
    program = dataclasses.replace(program, model=model)
    found = collectives(program.compile_train_step().as_text(), program.mesh)
    layers = {one.runs for one in found if one.role == "layers"}
    chunks = {one.runs for one in found if one.role == "loss chunks"}
    assert layers == {2 * 2}
    # What XLA takes out of a loop is still the loss's: here the table, gathered once.
    assert chunks == {1, 2 * 4}


def lists(groups) -> str:
    return "{" + ",".join("{" + ",".join(map(str, g)) + "}" for g in groups) + "}"


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_three_forms_of_groups_agree(data):
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    used = data.draw(st.sets(st.sampled_from(range(len(sizes)))))
    devices = int(np.prod(sizes))
    order = [a for a in range(len(sizes)) if a not in used] + sorted(used)
    members = int(np.prod([sizes[a] for a in used]))
    grid = np.arange(devices).reshape(sizes).transpose(order).reshape(-1, members)
    names = [f"'axis_{a}'={size}" for a, size in enumerate(sizes)]
    axes = ",".join(f"'axis_{a}'" for a in sorted(used))
    shape, dims = ",".join(map(str, grid.shape)), ",".join(map(str, sizes))
    for text in (
        lists(grid),
        f"[{shape}]<=[{dims}]T({','.join(map(str, order))})",
        f"mesh[{','.join(names)}] {{{axes}}}",
    ):
        got = replica_groups(f"channel_id=1, replica_groups={text}, x={{0}}", devices)
        np.testing.assert_array_equal(got, grid)
    spanned = spanned_axes(grid, sizes)
    assert spanned == tuple(a for a in sorted(used) if sizes[a] > 1)


def test_groups_along_a_part_of_an_axis():
    got = replica_groups("replica_groups=mesh['a'=8,'b'=2] {'a':(2)2}, y=1", 16)
    grid = np.arange(16).reshape(2, 2, 2, 2).transpose(0, 2, 3, 1).reshape(-1, 2)
    np.testing.assert_array_equal(got, grid)


def test_groups_of_a_permuted_mesh():
    text = "replica_groups=mesh['a'=2,'b'=2], device_ids=({}) {{'b'}}"
    want = [[0, 2], [1, 3]]
    assert replica_groups(text.format("0,2,1,3"), 4).tolist() == want
    assert replica_groups(text.format("[2,2]T(1,0)"), 4).tolist() == want


def test_groups_of_an_unknown_form_are_refused():
    with pytest.raises(ValueError, match="unknown form"):
        replica_groups("replica_groups=ring(4)", 4)


def test_bytes_of_types():
    text = "(bf16[2,3]{1,0:T(8,128)(2,1)S(1)}, /*index=5*/s4[8]{0}, pred[], token[])"
    assert [shape.bytes for shape in shapes(text)] == [12, 4, 1]
    assert shapes("f8e4m3fn[4]{0}")[0].bytes == 4


FUSED = """HloModule tiny

%start (p: f32[4]) -> (f32[4], f32[8]) {
  %p = f32[4]{0:T(128)} parameter(0)
  %gather.1 = f32[8]{0} all-gather(%p), channel_id=3, replica_groups={{0,1}}
  ROOT %begun = (f32[4], f32[8]) custom-call(%gather.1), custom_call_target="Start"
}

%beside (p.1: f32[4]) -> f32[8] {
  %p.1 = f32[4]{0:T(128)} parameter(0)
  ROOT %gather.2 = f32[8]{0} all-gather(%p.1), channel_id=3, replica_groups={{0,1}}
}

%all-reduce-scatter.7 (p.2: f32[8]) -> f32[4] {
  %p.2 = f32[8]{0} parameter(0)
  %sum = f32[8]{0} all-reduce(%p.2), channel_id=4, replica_groups={{0,1}}, to_apply=%add
  ROOT %own = f32[4]{0} dynamic-slice(%sum, %p.2), dynamic_slice_sizes={4}
}

ENTRY %main (a: f32[4]) -> f32[4] {
  %a = f32[4]{0} parameter(0)
  %f.1 = (f32[4], f32[8]) fusion(%a), kind=kCustom, calls=%start
  %f.2 = f32[8]{0} fusion(%a), kind=kCustom, calls=%beside
  ROOT %f.3 = f32[4]{0} fusion(%f.2), kind=kCustom, calls=%all-reduce-scatter.7
}
"""


def test_collectives_inside_of_fusions():
    mesh = jax.make_mesh((2,), ("fsdp",), devices=jax.devices()[:2])
    found = collectives(FUSED, mesh)
    assert [(one.kind, one.bytes) for one in found] == [
        ("all-gather", 32),
        ("reduce-scatter", 32),
    ]


EXCHANGED = """HloModule exchanged

ENTRY %main (a: f32[8]) -> f32[8] {
  %a = f32[8]{0} parameter(0)
  %one = f32[8]{0} all-to-all(%a), channel_id=1, replica_groups={{0,1}}, dimensions={0}
  ROOT %two = f32[8]{0} all-to-all(%one), channel_id=1, replica_groups={{0,1}}
}
"""


def test_collectives_of_one_channel_outside_of_fusions():
    """As `jax.shard_map` makes them: XLA:TPU keeps the channel."""
    mesh = jax.make_mesh((2,), ("fsdp",), devices=jax.devices()[:2])
    assert [one.name for one in collectives(EXCHANGED, mesh)] == ["one", "two"]


PLACED = """HloModule placed

%fused (p: f32[8], q: f32[4], n: s32[]) -> f32[8] {
  %p = f32[8]{0} parameter(0)
  %q = f32[4]{0} parameter(1)
  %n = s32[] parameter(2)
  ROOT %in = f32[8]{0} dynamic-update-slice(%p, %q, %n)
}

ENTRY %main (z: f32[8], a: f32[4], m: s32[]) -> (f32[8], f32[8], f32[8]) {
  %z = f32[8]{0} parameter(0)
  %a = f32[4]{0} parameter(1)
  %m = s32[] parameter(2)
  %one = f32[8]{0} dynamic-update-slice(%z, %a, %m)
  %two = f32[8]{0} fusion(%z, %a, %m), kind=kLoop, calls=%fused
  ROOT %s = (f32[8], f32[8], f32[8]) all-reduce(%one, %two, %z), replica_groups={{0,1}}
}
"""


def test_sums_of_slices_are_told_from_others():
    """XLA:TPU adds up gathers and gradients of a layer in one all-reduce."""
    mesh = jax.make_mesh((2,), ("fsdp",), devices=jax.devices()[:2])
    (found,) = collectives(PLACED, mesh)
    assert (found.bytes, found.placed) == (96, 64)


def test_what_is_no_program_is_refused():
    with pytest.raises(ValueError, match="ENTRY"):
        parse("HloModule nothing\n")


def test_partitioned_matmul(mesh):
    """The partitioner's own collective: a contraction over a split dimension."""
    split = NamedSharding(mesh, P(None, "fsdp"))
    whole = NamedSharding(mesh, P())
    function = functools.partial(jnp.einsum, "ik,jk->ij")
    a = jax.ShapeDtypeStruct((16, 32), jnp.float32, sharding=split)
    text = jax.jit(function, out_shardings=whole).lower(a, a).compile().as_text()
    (found,) = collectives(text, mesh)
    assert (found.kind, found.bytes, found.axes) == (
        "all-reduce",
        16 * 16 * 4,
        ("fsdp",),
    )


COUNTED = """HloModule counted

%body (p: (u32[], f32[8])) -> (u32[], f32[8]) {
  %p = (u32[], f32[8]{0}) parameter(0)
  %n = u32[] get-tuple-element(%p), index=0
  %step = u32[] constant(STEP)
  %next = u32[] add(%n, %step)
  %x = f32[8]{0} get-tuple-element(%p), index=1
  %sum = f32[8]{0} all-reduce(%x), channel_id=1, replica_groups={{0,1}}, to_apply=%add
  ROOT %out = (u32[], f32[8]{0}) tuple(%next, %sum)
}

%cond (q: (u32[], f32[8])) -> pred[] {
  %q = (u32[], f32[8]{0}) parameter(0)
  %m = u32[] get-tuple-element(%q), index=0
  %end = u32[] constant(END)
  ROOT %less = pred[] compare(%m, %end), direction=HOW
}

ENTRY %main (a: f32[8]) -> (u32[], f32[8]) {
  %a = f32[8]{0} parameter(0)
  %start = u32[] constant(1)
  %copied = u32[] copy(%start)
  %given = (u32[], f32[8]{0}) tuple(%copied, %a)
  ROOT %loop = (u32[], f32[8]{0}) while(%given), condition=%cond, body=%body
}
"""


@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("end", [2, 7, 8])
@pytest.mark.parametrize(("how", "more"), [("LT", 0), ("LE", 1)])
def test_trips_are_read_from_the_loop_where_xla_does_not_state_them(
    step, end, how, more
):
    text = COUNTED.replace("STEP", str(step)).replace("END", str(end))
    mesh = jax.make_mesh((2,), ("fsdp",), devices=jax.devices()[:2])
    (found,) = collectives(text.replace("HOW", how), mesh)
    assert found.runs == len(range(1, end + more, step))


@dataclasses.dataclass(frozen=True)
class Chip:
    """A device of a slice, as far as a mesh knows it."""

    id: int
    slice_index: int
    platform: str = "tpu"
    device_kind: str = "TPU v5e"
    process_index: int = 0


def two_slices():
    chips = np.array([Chip(n, n // 2) for n in range(4)]).reshape(2, 2)
    return Mesh(chips, ("data", "fsdp"))


def text(*lines):
    body = "\n".join(f"  {line}" for line in lines)
    head = "ENTRY %main (a: f32[8], t: token[]) -> f32[8] {"
    return (
        f"HloModule m\n\n{head}\n  %a = f32[8]{{0}} parameter(0)\n"
        f"  %t = token[] parameter(1)\n{body}\n}}\n"
    )


SENT = (
    "%s = (f32[8]{0}, u32[], token[]) send(%a, %t), channel_id=9, "
    'frontend_attributes={_xla_megascale_transfer_type="KIND"}'
)


@pytest.mark.parametrize(
    ("given", "kind", "sent"),
    [
        ("ALL_REDUCE", "all-reduce", 32),
        ("REDUCE_SCATTER", "reduce-scatter", 16),
        ("ONE_TO_ONE", "collective-permute", 32),
    ],
)
def test_slices_exchange_through_their_hosts(given, kind, sent):
    """Each device with the one that stands where it does in the other slice."""
    (one,) = collectives(text(SENT.replace("KIND", given)), two_slices())
    assert (one.kind, one.bytes, one.sent) == (kind, 32, sent)
    assert one.members == (0, 2) and one.axes == ("data",) and one.crosses_slices
    # What is sent otherwise is no collective.
    assert collectives(text(SENT.replace("transfer_type", "rank")), two_slices()) == []


@pytest.mark.parametrize(
    ("groups", "axes", "crosses"),
    [
        ("{{0,1},{2,3}}", ("fsdp",), False),
        ("{{0,2},{1,3}}", ("data",), True),
        ("{}", ("data", "fsdp"), True),
        ("{{0},{1},{2},{3}}", None, False),
    ],
)
def test_a_collective_crosses_slices_if_a_group_does(groups, axes, crosses):
    line = f"%s = f32[8]{{0}} all-reduce(%a), replica_groups={groups}, to_apply=%add"
    found = collectives(text(line), two_slices())
    if axes is None:  # each device by itself
        assert found == []
        return
    assert (found[0].axes, found[0].crosses_slices) == (axes, crosses)


def test_what_begins_beside_computation_is_counted_where_it_begins():
    lines = (
        "%b = (f32[8], f32[16]) all-gather-start(%a), replica_groups={{0,1},{2,3}}",
        "%d = f32[16]{0} all-gather-done(%b)",
        "%p = (f32[8]{0}, f32[8]{0}, u32[], u32[]) collective-permute-start(%a, %a), "
        "source_target_pairs={{0,2},{2,0},{1,3}}",
    )
    gather, permute = collectives(text(*lines), two_slices())
    assert (gather.kind, gather.bytes, gather.sent) == ("all-gather", 64, 32)
    assert (permute.kind, permute.bytes, permute.sent) == ("collective-permute", 32, 32)
    assert permute.members == (0, 2) and permute.crosses_slices


def test_the_type_of_a_collective_is_that_of_its_largest_array():
    lines = (
        "%b = bf16[40]{0} convert(%a)",
        "%s = (f32[8]{0}, bf16[40]{0}) all-reduce(%a, %b), replica_groups={}",
    )
    (one,) = collectives(text(*lines), two_slices())
    assert (one.bytes, one.dtype) == (8 * 4 + 40 * 2, "bf16")


@pytest.mark.parametrize(
    ("where", "role"),
    [("while/body/", "layers"), ("", "outside"), ("body/", "outside")],
)
def test_what_the_compiler_took_out_of_a_loop_is_known_by_its_source(where, role):
    tables = (
        'FileNames\n1 "m.py"\n\nFunctionNames\n1 "scan_stateful"\n\nFileLocations\n'
        "1 {file_name_id=1 function_name_id=1 line=1}\n\nStackFrames\n"
        "1 {file_location_id=1 parent_frame_id=0}\n"
    )
    line = "%s = f32[8]{0} all-reduce(%a), replica_groups={}, metadata={op_name="
    line += f'"jit(f)/{where}add" stack_frame_id=1}}'
    program = text(line).replace("HloModule m\n", f"HloModule m\n\n{tables}")
    (one,) = collectives(program, two_slices())
    assert (one.role, one.op_name) == (role, f"jit(f)/{where}add")
