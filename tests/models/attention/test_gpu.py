"""Which kernel a GPU takes, and that they lower for a GPU that is not here."""

import functools
import importlib.util
import logging

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export
from jax.experimental import pallas as pl
from jax.sharding import AxisType

from sightline.models.attention import gpu, interval, interval_attention
from sightline.models.attention.reference import reference_attention
from sightline.models.axes import MESH_AXES

pytestmark = pytest.mark.unchecked

T, H, G, K = 128, 4, 2, 64
SHAPE = {"dtype": "bfloat16", "heads_a_group": 2, "width": 64}


@pytest.fixture
def on_gpu(monkeypatch):
    """This machine's devices, taken for GPUs."""
    monkeypatch.setattr(interval, "_platform", lambda: "gpu")
    monkeypatch.setattr(gpu, "_known_objection", lambda *of: None)
    gpu._first_that_works.cache_clear()
    yield
    gpu._first_that_works.cache_clear()


def fake(errors=(), wrong=()):
    """`gpu_attention` of which some kernels fail and some compute nonsense."""

    def attend(*arrays, kernel):
        if kernel in errors:
            raise TypeError("it does not\ncompile")
        out = reference_attention(*arrays)
        return out * jnp.nan if kernel in wrong else out

    return attend


def tensors(dtype=jnp.bfloat16, *, slots=T, memory=T):
    rng = np.random.default_rng(0)
    shapes = (2, slots, H, K), (2, memory, G, K), (2, memory, G, K)
    q, k, v = (jnp.asarray(rng.normal(size=shape), dtype) for shape in shapes)
    start = rng.integers(0, memory, (2, slots)).astype(np.int32)
    length = rng.integers(0, 9, (2, slots))
    stop = np.minimum(start + length, memory).astype(np.int32)
    return q / K**0.5, k, v, start, stop


@pytest.mark.parametrize(
    ("broken", "chosen"),
    [
        ({}, "mosaic_gpu"),
        ({"errors": ["mosaic_gpu"]}, "triton"),
        ({"wrong": ["mosaic_gpu"]}, "triton"),
        ({"errors": ["mosaic_gpu"], "wrong": ["triton"]}, "cudnn"),
        ({"errors": ["mosaic_gpu", "cudnn"], "wrong": ["triton"]}, None),
    ],
)
def test_the_first_kernel_that_works_is_taken_and_named(
    broken, chosen, on_gpu, monkeypatch, caplog
):
    monkeypatch.setattr(gpu, "gpu_attention", fake(**broken))
    mesh = jax.make_mesh((1, 2, 2, 2), MESH_AXES, axis_types=(AxisType.Auto,) * 4)
    with caplog.at_level(logging.INFO), jax.set_mesh(mesh):
        out = jax.jit(interval_attention)(*tensors())  # chosen while it is traced
        jax.jit(jax.grad(lambda *x: interval_attention(*x).sum()))(*tensors())
    assert gpu.gpu_kernel(**SHAPE) == chosen
    out, expected = (
        np.asarray(x, np.float32) for x in (out, reference_attention(*tensors()))
    )
    np.testing.assert_allclose(out, expected, atol=1e-2)
    (line,) = (r.getMessage() for r in caplog.records if r.name == gpu.__name__)
    taken = "plain XLA" if chosen is None else f"the kernel {chosen}."
    assert line.startswith(f"Attention: {taken}")
    if failed := broken.get("errors"):
        assert f"{', '.join(failed)}: TypeError: it does not" in line
    for kernel in broken.get("wrong", ()):
        assert f"{kernel}: its numbers are nan away" in line


def test_float32_is_not_multiplied_in_less(caplog):
    gpu._first_that_works.cache_clear()
    assert gpu.gpu_kernel(**SHAPE | {"dtype": "float32"}) is None
    assert "kernels do not multiply in float32" in caplog.text


def test_without_tokamax_it_is_cudnn_and_the_log_says_how_to_get_it(
    monkeypatch, caplog
):
    gpu._first_that_works.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(gpu, "gpu_attention", fake())
    with caplog.at_level(logging.INFO):
        assert gpu.gpu_kernel(**SHAPE) == "cudnn"
    assert "pip install 'sightline[cuda]'" in caplog.text


def test_a_kernel_of_pallas_can_be_tried_while_a_program_is_traced(monkeypatch):
    """Within `jax.ensure_compile_time_eval` its program_id has no value."""

    def double(x_ref, out_ref):
        out_ref[...] = x_ref[...] * (pl.program_id(0) + 2.0)

    def attend(*arrays, kernel):
        out = reference_attention(*arrays).astype(jnp.float32)
        shape = jax.ShapeDtypeStruct(out.shape, out.dtype)
        whole = pl.pallas_call(double, out_shape=shape, grid=(1,), interpret=True)
        kept = jax.lax.stop_gradient(out)
        return (out + whole(kept) - 2 * kept).astype(jnp.bfloat16)

    monkeypatch.setattr(gpu, "gpu_attention", attend)
    reasons = []

    def traced(x):
        reasons.append(gpu.objection("triton", **SHAPE))
        return x

    jax.jit(traced)(1.0)
    assert reasons == [None]


@pytest.mark.parametrize(("slots", "memory"), [(128, 128), (127, 129)])
def test_what_cudnn_is_handed_is_interval_attention(slots, memory, monkeypatch):
    """jax.nn by XLA in its place, which takes the same arguments."""
    handed, real = [], jax.nn.dot_product_attention

    def attend(q, k, v, *, implementation, **more):
        handed.append((implementation, q.shape[1] % 2, k.shape[1] % 2))
        return real(q, k, v, **more)

    monkeypatch.setattr(jax.nn, "dot_product_attention", attend)
    q, k, v, start, stop = tensors(jnp.float32, slots=slots, memory=memory)

    def passes(attend, q, k, v):
        out, back = jax.vjp(lambda *x: attend(*x, start, stop), q, k, v)
        return out, *back(jnp.cos(out))

    found = passes(functools.partial(gpu.gpu_attention, kernel="cudnn"), q, k, v)
    assert handed == [("cudnn", 0, 0)]
    assert (start >= stop).any()  # empty ones among them
    for ours, theirs in zip(found, passes(reference_attention, q, k, v), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_cudnn_lowers_for_cuda_in_both_passes(monkeypatch):
    """Found wanting nothing but the GPU's own checks."""
    fused = pytest.importorskip("jax._src.cudnn.fused_attention_stablehlo")
    monkeypatch.setattr(fused, "check_cudnn_version", lambda: 91000)
    monkeypatch.setattr(fused, "check_compute_capability", lambda capability: True)
    monkeypatch.setattr(
        fused, "is_cuda_compute_capability_equal", lambda capability: False
    )
    text = lowered(functools.partial(passes, "cudnn"))
    assert text.count("custom_call @__cudnn$fmhaScaleBiasSoftmax(") == 1
    assert text.count("custom_call @__cudnn$fmhaScaleBiasSoftmaxBackward(") == 1
    assert f"x{H}x{T}x{T}x" not in text  # no scores


def passes(kernel, q, k, v, start, stop):
    def loss(q, k, v):
        return gpu.gpu_attention(q, k, v, start, stop, kernel=kernel).sum()

    return jax.value_and_grad(loss, (0, 1, 2))(q, k, v)


@pytest.fixture
def tokamax():
    return pytest.importorskip("tokamax", reason="tokamax is not installed")


@pytest.mark.parametrize("query", [0, 100, 255])
def test_one_wrong_query_of_a_kernel_is_found(query, monkeypatch):
    def attend(*arrays, kernel):
        out = reference_attention(*arrays)
        return out.at[:, query].multiply(0 if query else 2)

    monkeypatch.setattr(gpu, "gpu_attention", attend)
    assert "away from the reference's" in gpu.objection("triton", **SHAPE)


def test_what_bfloat16_computes_is_accepted(monkeypatch):
    monkeypatch.setattr(gpu, "gpu_attention", fake())
    for ratio in (1, 2, 8):
        assert gpu.objection("triton", **SHAPE | {"heads_a_group": ratio}) is None


def test_what_tokamax_computes_is_accepted(tokamax):
    assert gpu.objection("xla_chunked", **SHAPE) is None


before_jax_0_11 = pytest.mark.xfail(
    jax.__version_info__ >= (0, 11),
    reason="tokamax 0.0.12 uses what jax 0.11 no longer has",
    strict=True,
)


@before_jax_0_11
def test_triton_lowers_for_cuda_in_both_passes(tokamax):
    with tokamax.config.cross_compile(True):
        text = lowered(functools.partial(passes, "triton"))
    assert text.count("custom_call @__gpu$xla.gpu.triton") == 2
    assert f"x{H}x{T}x{T}x" not in text  # no scores


@before_jax_0_11
def test_mosaic_lowers_for_cuda_forwards(tokamax, monkeypatch):
    """Backwards it does not with jax 0.10.1: it is tried, and triton follows."""
    from tokamax._src import gpu_utils

    monkeypatch.setattr(gpu_utils, "is_sm90", lambda device=None: True)
    attend = functools.partial(gpu.gpu_attention, kernel="mosaic_gpu")
    with tokamax.config.cross_compile(True):
        text = lowered(attend)
    assert text.count("custom_call @mosaic_gpu") == 1
    assert f"x{T}x{T}x" not in text  # neither scores nor a mask


def lowered(function) -> str:
    calls = ["__gpu$xla.gpu.triton", "mosaic_gpu_v2", "mosaic_gpu"]
    calls += [f"__cudnn$fmhaScaleBiasSoftmax{which}" for which in ("", "Backward")]
    unchecked = [export.DisabledSafetyCheck.custom_call(name) for name in calls]
    made = export.export(
        jax.jit(function), platforms=["cuda"], disabled_checks=unchecked
    )
    return made(*tensors()).mlir_module()
