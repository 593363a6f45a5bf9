"""Operations of products, against XLA's own count of what it is given to compile."""

import jax
import jax.numpy as jnp
import pytest
from hypothesis import given, settings, strategies as st

from sightline.launch.pods.plan.hlo_text import Module, parse
from sightline.launch.pods.plan.model_operations import program_operations
from sightline.launch.pods.plan.operations import operations, silent_kernels

SMALL = st.integers(1, 4)


def lowered(function, *shapes) -> tuple[Module, float]:
    """A program before anything is compiled, and the operations that XLA counts."""
    arguments = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    found = jax.jit(function).lower(*arguments)
    text = found.compiler_ir("hlo").as_hlo_module().to_string()
    return parse(text), found.cost_analysis().get("flops", 0.0)


@st.composite
def windows(draw):
    """A dimension of a convolution: input, kernel, stride, padding, two dilations."""
    size, kernel = draw(st.integers(1, 7)), draw(st.integers(1, 3))
    stride, gap, apart = (draw(st.integers(1, 3)) for _ in range(3))
    low, high = draw(st.integers(-1, 2)), draw(st.integers(-1, 3))
    held, reach = (size - 1) * gap + 1 + low + high, (kernel - 1) * apart + 1
    if held < reach or (size - 1) * gap + 1 + min(low, high) < 1:
        low, high = 0, reach
    return size, kernel, stride, (low, high), gap, apart


@given(
    axes=st.lists(windows(), min_size=1, max_size=2),
    batch=SMALL,
    features=SMALL,
    out=SMALL,
    groups=st.sampled_from([(1, 1), (2, 1), (1, 2)]),
)
@settings(max_examples=25, deadline=None)
def test_convolutions_are_counted_as_xla_counts_them(
    axes, batch, features, out, groups
):
    sizes, kernel, strides, pads, gaps, apart = zip(*axes, strict=True)
    of_features, of_batch = groups
    names = "HW"[: len(axes)]

    def convolved(left, right):
        return jax.lax.conv_general_dilated(
            left,
            right,
            strides,
            pads,
            lhs_dilation=gaps,
            rhs_dilation=apart,
            dimension_numbers=(f"N{names}C", f"{names}IO", f"N{names}C"),
            feature_group_count=of_features,
            batch_group_count=of_batch,
        )

    module, expected = lowered(
        convolved,
        (batch * of_batch, *sizes, features * of_features),
        (*kernel, features, out * of_features * of_batch),
    )
    assert operations(module) == expected


@given(
    batch=st.lists(SMALL, max_size=2),
    shared=st.lists(SMALL, max_size=2),
    left=st.lists(SMALL, max_size=2),
    right=st.lists(SMALL, max_size=2),
)
@settings(max_examples=15, deadline=None)
def test_products_are_counted_as_xla_counts_them(batch, shared, left, right):
    """Dimensions of both batches first, those that are summed over behind them."""

    def product(a, b):
        first = range(len(batch))
        summed = range(len(batch), len(batch) + len(shared))
        return jax.lax.dot_general(a, b, ((summed, summed), (first, first)))

    shapes = (*batch, *shared, *left), (*batch, *shared, *right)
    module, expected = lowered(product, *shapes)
    assert operations(module) == expected
    arguments = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    assert program_operations(jax.make_jaxpr(product)(*arguments)) == expected


def program(*lines, before="") -> Module:
    """A program of these instructions, behind other computations."""
    body = "\n".join(f"  {line}" for line in lines)
    return parse(
        f"HloModule m\n\n{before}\nENTRY %main (a: f32[]) -> f32[] {{\n{body}\n}}"
    )


CUBLAS = (
    '%c = (f32[3,5]{1,0}, s8[64]{0}) custom-call(%a, %b), custom_call_target="TARGET", '
    'backend_config={"dot_dimension_numbers":{"lhs_contracting_dimensions":["1","2"]}}'
)


@pytest.mark.parametrize(
    ("target", "expected"),
    [("__cublas$gemm", 2 * 3 * 5 * 4 * 7), ("__cublas$lt$matmul", 2 * 3 * 5 * 4 * 7)],
)
def test_a_product_of_a_gpus_library_is_one(target, expected):
    given = "%a = f32[3,4,7]{2,1,0} parameter(0)", "%b = f32[4,7,5]{2,1,0} parameter(1)"
    made = CUBLAS.replace("TARGET", target)
    assert operations(program(*given, made)) == expected
    assert operations(program(*given, CUBLAS.replace("TARGET", "__other"))) == 0


INNER = """%inner (p: f32[2,3], q: f32[3,4]) -> f32[2,4] {
  %p = f32[2,3]{1,0} parameter(0)
  %q = f32[3,4]{1,0} parameter(1)
  ROOT %d = f32[2,4] dot(%p, %q), lhs_contracting_dims={1}, rhs_contracting_dims={0}
}

%outer (r: f32[2,3], s: f32[3,4]) -> f32[2,4] {
  %r = f32[2,3]{1,0} parameter(0)
  %s = f32[3,4]{1,0} parameter(1)
  ROOT %f = f32[2,4]{1,0} fusion(%r, %s), kind=kLoop, calls=%inner
}
"""


def test_products_inside_of_fusions_count_each_time():
    found = program(
        "%a = f32[2,3]{1,0} parameter(0)",
        "%b = f32[3,4]{1,0} parameter(1)",
        "%one = f32[2,4]{1,0} fusion(%a, %b), kind=kOutput, calls=%outer",
        "%two = f32[2,4]{1,0} fusion(%a, %b), kind=kOutput, calls=%inner",
        before=INNER,
    )
    assert operations(found) == 2 * (2 * 2 * 4 * 3)


def kernel(name, *, flops="", target="tpu_custom_call", source=""):
    stated = f'"cost_estimate":{{"flops":{flops}}}' if flops else ""
    named = f', metadata={{op_name="{source}"}}' if source else ""
    return (
        f"%{name} = f32[8]{{0}} custom-call(%a), "
        f'custom_call_target="{target}", backend_config={{{stated}}}{named}'
    )


def test_kernels_that_say_nothing_are_named_once_by_their_source():
    found = program(
        "%a = f32[8]{0} parameter(0)",
        kernel("z", source="jit(f)/flash"),
        kernel("y", source="jit(f)/flash"),
        kernel("b", target="__gpu$xla.gpu.triton"),
        kernel("c", flops="70"),
        kernel("d", target="Sharding"),
    )
    assert silent_kernels(found) == ["b", "jit(f)/flash"]
    assert operations(found) == 70


def counted(function, *shapes):
    arguments = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    return program_operations(jax.make_jaxpr(function)(*arguments))


def square(x):
    return x @ x


N = 3
ONE = 2 * N**3


@pytest.mark.parametrize(
    ("function", "products"),
    [
        (lambda x: jax.lax.cond(x[0, 0] > 0, square, lambda x: square(x) @ x, x), 2),
        (lambda x: jax.lax.while_loop(lambda x: x[0, 0] < 9, square, x), 1),
        (lambda x: jax.lax.fori_loop(0, 4, lambda _, x: square(x), x), 4),
        (lambda x: jax.jit(lambda x: jax.jit(square)(x) @ x)(x), 2),
        (lambda x: jax.checkpoint(square)(x), 1),
        (jax.grad(lambda x: jax.checkpoint(lambda x: jnp.sin(square(x)))(x).sum()), 4),
        (lambda x: jax.vmap(square)(jnp.stack([x, x])), 2),
    ],
)
def test_products_of_what_a_function_calls(function, products):
    assert counted(function, (N, N)) == products * ONE


def test_products_of_a_function_of_one_device_each_count_on_all():
    """A row of the mesh has one of four arrays; its two devices do the same."""
    mesh = jax.make_mesh(
        (4, 2), ("data", "tensor"), axis_types=(jax.sharding.AxisType.Auto,) * 2
    )
    spec = jax.sharding.PartitionSpec("data")
    each = jax.shard_map(jax.vmap(square), mesh=mesh, in_specs=spec, out_specs=spec)
    assert counted(jax.vmap(square), (4, N, N)) == 4 * ONE
    assert counted(each, (4, N, N)) == 8 * ONE
