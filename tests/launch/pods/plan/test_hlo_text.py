"""The text of programs, as XLA prints what JAX lowers."""

import inspect

import jax
import jax.numpy as jnp
import pytest
from hypothesis import given, strategies as st

from sightline.launch.pods.plan.hlo_text import parse, shapes

BITS = {"pred": 8, "bf16": 16, "f32": 32, "s64": 64, "c64": 64, "f8e5m2": 8, "u16": 16}
DIMENSIONS = st.lists(st.integers(1, 9), max_size=3)


@given(st.lists(st.tuples(st.sampled_from(sorted(BITS)), DIMENSIONS), max_size=3))
def test_shapes_of_a_printed_type(parts):
    layouts = ["", "{1,0}", "{0:T(8,128)(2,1)S(1)}"]
    printed = [
        f"{dtype}[{','.join(map(str, sizes))}]{layouts[n]}"
        for n, (dtype, sizes) in enumerate(parts)
    ]
    found = shapes(f"({', '.join(printed)})")
    assert [shape.dimensions for shape in found] == [tuple(s) for _, s in parts]
    assert [shape.space for shape in found] == [0, 0, 1][: len(parts)]
    for shape, (dtype, sizes) in zip(found, parts, strict=True):
        elements = 1
        for size in sizes:
            elements *= size
        assert (shape.elements, shape.bytes) == (elements, elements * BITS[dtype] // 8)


def test_parts_of_a_byte_and_sizes_that_are_bounds():
    assert [s.bytes for s in shapes("(s4[6], u2[8], u4[2], s2[4])")] == [3, 2, 1, 1]
    (bounded,) = shapes("f32[<=5,2]{1,0}")
    assert bounded.dimensions == (5, 2)
    assert shapes("(token[], opaque[])") == ()
    with pytest.raises(ValueError, match="no element type 'tuple' is known"):
        shapes("tuple[2]")[0].bytes  # noqa: B018


def lowered(function, *arguments):
    found = jax.jit(function).lower(*arguments)
    return parse(found.compiler_ir("hlo").as_hlo_module().to_string())


X = jax.ShapeDtypeStruct((3, 4), jnp.float32)


def test_the_source_of_an_instruction_is_its_callers_from_the_inside_out():
    def inner(x):
        return jnp.sin(x)

    def outer(x):
        return inner(x) * 2

    module = lowered(outer, X)
    (sine,) = [i for i in module.entry.instructions.values() if i.opcode == "sine"]
    stack = list(module.stack(sine))
    functions = [frame.function.rpartition(".")[2] for frame in stack]
    assert functions[:2] == ["inner", "outer"]
    assert stack[0].line == inspect.getsourcelines(inner)[1] + 1
    assert stack[1].line == inspect.getsourcelines(outer)[1] + 1
    assert all(frame.file == __file__ for frame in stack[:2])
    assert sine.op_name.endswith("sin") and sine.shapes[0].dimensions == (3, 4)


def test_operands_attributes_and_the_root_of_a_program():
    module = lowered(lambda x, y: (x @ y.T, x + y), X, X)
    entry = module.entry
    (dot,) = [i for i in entry.instructions.values() if i.opcode == "dot"]
    assert [entry.instructions[n].opcode for n in dot.operands] == [
        "parameter",
        "transpose",
    ]
    assert "lhs_contracting_dims={1}" in dot.attributes and "%" not in dot.attributes
    assert entry.root.opcode == "tuple" and entry.root.is_root
    assert entry.root.operands[0] == dot.name and not dot.is_root
    assert [shape.dimensions for shape in entry.root.shapes] == [(3, 3), (3, 4)]


def test_an_instruction_without_a_source_has_none():
    text = (
        "HloModule m\n\nENTRY %main (a: f32[2]) -> f32[2] {\n"
        "  %a = f32[2]{0} parameter(0)\n"
        "  %c = f32[] constant(-1.5)\n"
        "  ROOT %r.1 = (f32[2]{0}, (f32[], s32[])) custom-call(%a, /*index=1*/%c), "
        'custom_call_target="g(x)", calls=%other-1.2, metadata={stack_frame_id=7}\n}\n'
    )
    module = parse(text)
    call = module.entry.root
    assert list(module.stack(call)) == [] and call.frame == 7 and call.op_name == ""
    assert (call.name, call.opcode, call.operands) == ("r.1", "custom-call", ("a", "c"))
    assert call.attributes.startswith(', custom_call_target="g(x)", calls=')
    assert call.called("calls") == "other-1.2" and call.called("body") is None
    assert len(call.shapes) == 3
    assert module.entry.instructions["c"].literal == "-1.5"
    assert module.entry.instructions["c"].frame is None


def test_a_parenthesis_that_is_not_closed_is_refused():
    text = (
        "HloModule m\n\nENTRY %main (a: f32[]) -> f32[] {\n"
        "  ROOT %r = (f32[], f32[] tuple(%a\n}\n"
    )
    with pytest.raises(ValueError, match=r"not closed: '\(f32\[\], f32\[\] tuple"):
        parse(text)
