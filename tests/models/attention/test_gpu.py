"""Which kernel a GPU takes, and that tokamax's lower for a GPU that is not here."""

import functools
import importlib.util
import logging

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export
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
    monkeypatch.setattr(gpu, "_objections", lambda dtype: [])
    gpu._first_that_works.cache_clear()
    yield
    gpu._first_that_works.cache_clear()


def fake(errors=(), wrong=()):
    """`tokamax_attention` of which some kernels fail and some compute nonsense."""

    def attend(*arrays, kernel):
        if kernel in errors:
            raise TypeError("it does not\ncompile")
        out = reference_attention(*arrays)
        return out * jnp.nan if kernel in wrong else out

    return attend


def tensors(dtype=jnp.bfloat16):
    rng = np.random.default_rng(0)
    keys = (2, T, G, K)
    q, k, v = (
        jnp.asarray(rng.normal(size=s), dtype) for s in ((2, T, H, K), keys, keys)
    )
    start = rng.integers(0, T, (2, T)).astype(np.int32)
    stop = np.minimum(start + rng.integers(0, 9, (2, T)), T).astype(np.int32)
    return q / K**0.5, k, v, start, stop


@pytest.mark.parametrize(
    ("broken", "chosen"),
    [
        ({}, "mosaic_gpu"),
        ({"errors": ["mosaic_gpu"]}, "triton"),
        ({"wrong": ["mosaic_gpu"]}, "triton"),
        ({"errors": ["mosaic_gpu"], "wrong": ["triton"]}, None),
    ],
)
def test_the_first_kernel_that_works_is_taken_and_named(
    broken, chosen, on_gpu, monkeypatch, caplog
):
    monkeypatch.setattr(gpu, "tokamax_attention", fake(**broken))
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
    if chosen is None:
        assert "plain XLA" in line and "mosaic_gpu: TypeError: it does not;" in line
        assert "triton: its numbers are not those of the reference" in line
    else:
        assert line == f"Attention: tokamax's kernel {chosen}."


def test_float32_is_not_multiplied_in_less(caplog):
    gpu._first_that_works.cache_clear()
    assert gpu.gpu_kernel(**SHAPE | {"dtype": "float32"}) is None
    assert "kernels do not multiply in float32" in caplog.text


def test_without_tokamax_the_log_says_how_to_get_it(monkeypatch, caplog):
    gpu._first_that_works.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert gpu.gpu_kernel(**SHAPE) is None
    assert "pip install 'sightline[cuda]'" in caplog.text


def passes(kernel, q, k, v, start, stop):
    def loss(q, k, v):
        return gpu.tokamax_attention(q, k, v, start, stop, kernel=kernel).sum()

    return jax.value_and_grad(loss, (0, 1, 2))(q, k, v)


@pytest.fixture
def tokamax():
    return pytest.importorskip("tokamax", reason="tokamax is not installed")


def test_what_tokamax_computes_is_accepted(tokamax):
    assert gpu.objection("xla_chunked", **SHAPE) is None


def test_triton_lowers_for_cuda_in_both_passes(tokamax):
    with tokamax.config.cross_compile(True):
        text = lowered(functools.partial(passes, "triton"))
    assert text.count("custom_call @__gpu$xla.gpu.triton") == 2
    assert f"x{H}x{T}x{T}x" not in text  # no scores


def test_mosaic_lowers_for_cuda_forwards(tokamax, monkeypatch):
    """Backwards it does not with jax 0.10.1: it is tried, and triton follows."""
    from tokamax._src import gpu_utils

    monkeypatch.setattr(gpu_utils, "is_sm90", lambda device=None: True)
    attend = functools.partial(gpu.tokamax_attention, kernel="mosaic_gpu")
    with tokamax.config.cross_compile(True):
        text = lowered(attend)
    assert text.count("custom_call @mosaic_gpu") == 1
    assert f"x{T}x{T}x" not in text  # neither scores nor a mask


def lowered(function) -> str:
    calls = "__gpu$xla.gpu.triton", "mosaic_gpu_v2", "mosaic_gpu"
    unchecked = [export.DisabledSafetyCheck.custom_call(name) for name in calls]
    made = export.export(
        jax.jit(function), platforms=["cuda"], disabled_checks=unchecked
    )
    return made(*tensors()).mlir_module()
