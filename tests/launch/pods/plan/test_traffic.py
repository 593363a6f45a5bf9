"""Bytes that programs read and write, against XLA's own count and by hand."""

import jax
import jax.numpy as jnp
import pytest
from hypothesis import given, settings, strategies as st

from sightline.launch.pods.plan.hlo_text import Module, parse
from sightline.launch.pods.plan.traffic import traffic

WHOLE, ROW = 99 * 8 * 4, 8 * 4
"""Bytes of `f32[99,8]`, and of one row of it."""


@given(
    shape=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    function=st.sampled_from(
        [
            lambda x: x * x + jnp.sin(x),
            lambda x: x.sum(0),
            lambda x: (jnp.einsum("...i,...j->...ij", x, x), x[1:]),
            lambda x: jnp.where(x > 0, x, -x),
        ]
    ),
)
@settings(max_examples=20, deadline=None)
def test_instructions_move_what_xla_says(shape, function):
    """Of programs before they are fused, and without constants, which XLA counts."""
    given = jax.ShapeDtypeStruct((2, *shape, shape[-1]), jnp.float32)
    found = jax.jit(function).lower(given)
    text = found.compiler_ir("hlo").as_hlo_module().to_string()
    expected = found.cost_analysis()["bytes accessed"]
    assert traffic(parse(text)) == pytest.approx(expected, abs=20)


def program(*lines, before="") -> Module:
    body = "\n".join(f"  {line}" for line in lines)
    head = "ENTRY %main (a: f32[99,8]) -> f32[8] {"
    return parse(f"HloModule m\n\n{before}\n{head}\n{body}\n}}")


GIVEN = (
    "%a = f32[99,8]{1,0} parameter(0)",
    "%b = f32[1,8]{1,0} parameter(1)",
    "%n = s32[] parameter(2)",
)


def moved(*lines, before=""):
    return traffic(program(*GIVEN, *lines, before=before))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%x = f32[99,8]{1,0} negate(%a)", 2 * WHOLE),
        ("%x = f32[99,8]{1,0} add(%a, %a)", 3 * WHOLE),
        ("%x = bf16[99,8]{1,0} convert(%a)", 1.5 * WHOLE),
        ("%x = f32[1,8]{1,0} dynamic-slice(%a, %n, %n)", 2 * ROW),
        ("%x = f32[1,8]{1,0} slice(%a), slice={[1:2], [0:8]}", 2 * ROW),
        ("%x = f32[1,8]{1,0} gather(%a, %n)", 2 * ROW),
        ("%x = f32[99,8]{1,0} dynamic-update-slice(%a, %b, %n, %n)", 2 * (ROW + 8)),
        ("%x = f32[99,8]{1,0} scatter(%a, %n, %b)", 2 * (ROW + 4)),
        ("%x = (f32[99,8]{1,0}, f32[99,8]{1,0}, u32[]) copy-start(%a)", 2 * WHOLE),
        ("%x = (f32[99,8]{1,0}, f32[99,8]{1,0:S(1)}) copy-start(%a)", 2 * WHOLE),
        ("%x = (f32[99,8]{1,0:S(1)}, f32[99,8]{1,0}, u32[]) copy-start(%a)", WHOLE),
        ("%x = f32[99,8]{1,0} copy-done(%a)", 0),
        ("%x = f32[99,8]{1,0} all-gather-done(%a)", 0),
        ("%x = f32[792]{0} bitcast(%a)", 0),
        ("%x = (f32[99,8]{1,0}) tuple(%a)", 0),
        ("%x = f32[99,8]{1,0} opt-barrier(%a)", 0),
        ('%x = f32[9]{0} custom-call(%a), custom_call_target="AsyncStart"', 0),
        ('%x = f32[8]{0} custom-call(%a), custom_call_target="mine"', WHOLE + ROW),
    ],
)
def test_bytes_of_an_instruction(line, expected):
    assert moved(line) == expected


def fused(*lines, out="f32[8]{0}", reads="%a, %b, %n"):
    """What a fusion of these instructions moves."""
    body = "\n".join(f"  {line}" for line in lines)
    before = (
        "%inner (p: f32[99,8], q: f32[1,8], i: s32[]) -> f32[8] {\n"
        "  %p = f32[99,8]{1,0} parameter(0)\n"
        "  %q = f32[1,8]{1,0} parameter(1)\n"
        f"  %i = s32[] parameter(2)\n{body}\n}}\n"
    )
    return moved(f"%f = {out} fusion({reads}), kind=kLoop, calls=%inner", before=before)


UPDATE = "%u = f32[99,8]{1,0} dynamic-update-slice(%p, %q, %i, %i)"
MADE = "f32[99,8]{1,0}"


@pytest.mark.parametrize(
    ("lines", "out", "expected"),
    [
        # Read whole, and once, however often it is used.
        ([f"ROOT %x = {MADE} add(%p, %p)"], MADE, 2 * WHOLE),
        # What is only sliced is read in part; an index is read whole.
        (
            ["ROOT %s = f32[1,8]{1,0} dynamic-slice(%p, %i, %i)"],
            "f32[1,8]{1,0}",
            2 * ROW + 4,
        ),
        # Two slices are both read; with another use all of it is, once.
        (
            [
                "%s = f32[1,8]{1,0} dynamic-slice(%p, %i, %i)",
                "%t = f32[1,8]{1,0} slice(%p), slice={[0:1], [0:8]}",
                "ROOT %x = f32[1,8]{1,0} add(%s, %t)",
            ],
            "f32[1,8]{1,0}",
            3 * ROW + 4,
        ),
        (
            [
                "%s = f32[1,8]{1,0} dynamic-slice(%p, %i, %i)",
                f"%t = {MADE} negate(%p)",
                f"ROOT %x = {MADE} dot(%s, %t)",
            ],
            MADE,
            2 * WHOLE + 4,
        ),
        # Sliced behind another shape of the same.
        (
            [
                "%v = f32[792]{0} bitcast(%p)",
                "ROOT %s = f32[8]{0} dynamic-slice(%v, %i)",
            ],
            "f32[8]{0}",
            2 * ROW + 4,
        ),
        # Updated in place: the slice is read and written, the rest is not touched.
        ([f"ROOT {UPDATE}"], MADE, 2 * ROW + 4),
        ([UPDATE, f"ROOT %v = {MADE} bitcast(%u)"], MADE, 2 * ROW + 4),
        (
            [
                f"%v = {MADE} reshape(%p)",
                f"ROOT %u = {MADE} dynamic-update-slice(%v, %q, %i, %i)",
            ],
            MADE,
            2 * ROW + 4,
        ),
        # As the update it is read whole.
        (
            [
                "%z = f32[200,8]{1,0} broadcast(%i)",
                "ROOT %u = f32[200,8]{1,0} dynamic-update-slice(%z, %p, %i, %i)",
            ],
            "f32[200,8]{1,0}",
            2 * WHOLE + 4,
        ),
        # Handed on: nothing is read or written.
        ([f"ROOT %t = ({MADE}, s32[]) tuple(%p, %i)"], f"({MADE}, s32[])", 0),
        # Each part of a result by what makes it.
        (
            [
                UPDATE,
                "%x = f32[1,8]{1,0} negate(%q)",
                f"ROOT %t = ({MADE}, f32[1,8]{{1,0}}) tuple(%u, %x)",
            ],
            f"({MADE}, f32[1,8]{{1,0}})",
            3 * ROW + 4,
        ),
        (
            [
                "%x = f32[1,8]{1,0} negate(%q)",
                "ROOT %t = (f32[1,8]{1,0}, f32[1,8]{1,0}) tuple(%x, %x)",
            ],
            "(f32[1,8]{1,0:S(1)}, f32[1,8]{1,0})",
            2 * ROW,
        ),
        # A part that is a tuple has no shape of its own: all are written.
        (
            [
                '%x = (f32[1,8], u32[]) custom-call(%q), custom_call_target="S"',
                "%y = f32[1,8]{1,0} negate(%q)",
                "ROOT %t = ((f32[1,8], u32[]), f32[1,8]) tuple(%x, %y)",
            ],
            "((f32[1,8], u32[]), f32[1,8])",
            3 * ROW + 4,
        ),
        # On the chip.
        ([f"ROOT %x = {MADE} negate(%p)"], "f32[99,8]{1,0:S(1)}", WHOLE),
    ],
)
def test_bytes_of_a_fusion(lines, out, expected):
    assert fused(*lines, out=out) == expected


def test_what_lies_on_the_chip_is_not_read_by_a_fusion():
    before = (
        "%inner (p: f32[99,8]) -> f32[99,8] {\n"
        f"  %p = {MADE} parameter(0)\n  ROOT %x = {MADE} negate(%p)\n}}\n"
    )
    lines = (
        "%c = f32[99,8]{1,0:S(1)} negate(%a)",
        f"%f = {MADE} fusion(%c), kind=kLoop, calls=%inner",
    )
    assert moved(*lines, before=before) == 2 * WHOLE


def test_a_gather_inside_of_a_fusion_reads_its_operand_each_time():
    """A collective that is started beside computation that also slices the array."""
    lines = [
        f"%g = {MADE} all-gather(%p), dimensions={{0}}",
        "%s = f32[1,8]{1,0} slice(%p), slice={[0:1], [0:8]}",
        "ROOT %t = (f32[99,8]{1,0}, f32[1,8]{1,0}) tuple(%g, %s)",
    ]
    # No more than the whole is read.
    assert fused(*lines, out="(f32[99,8]{1,0}, f32[1,8]{1,0})") == 2 * WHOLE + ROW


def test_bodies_of_loops_move_as_often_as_they_run():
    loop = """%body (p: (s32[], f32[99,8])) -> (s32[], f32[99,8]) {
  %p = (s32[], f32[99,8]{1,0}) parameter(0)
  %x = f32[99,8]{1,0} get-tuple-element(%p), index=1
  %n = s32[] get-tuple-element(%p), index=0
  %y = f32[99,8]{1,0} negate(%x)
  ROOT %t = (s32[], f32[99,8]{1,0}) tuple(%n, %y)
}

%cond (q: (s32[], f32[99,8])) -> pred[] {
  %q = (s32[], f32[99,8]{1,0}) parameter(0)
  ROOT %true = pred[] constant(true)
}
"""
    lines = (
        "%t = (s32[], f32[99,8]{1,0}) tuple(%n, %a)",
        "%w = (s32[], f32[99,8]{1,0}) while(%t), condition=%cond, body=%body, "
        'backend_config={"known_trip_count":{"n":"6"}}',
    )
    assert moved(*lines, before=loop) == 6 * 2 * WHOLE
