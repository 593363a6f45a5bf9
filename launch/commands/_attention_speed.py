"""How long attention and its gradients take, by each implementation that runs here."""

import functools
import importlib.util
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from rich.progress import track

from ...models.attention import interval_attention
from ...models.attention.gpu import KERNELS, Kernel, gpu_attention
from ...models.attention.reference import reference_attention
from ._batches import some_batches

Attend = Callable[..., jax.Array]

OURS, PLAIN = "sightline", "plain XLA"


def attention_speeds(
    settings: Mapping[str, Any], *, rounds: int
) -> dict[str, Float[np.ndarray, " rounds"] | str]:
    """Seconds of one layer's attention with its gradients; or why it does not run.

    Queries, keys and values are random; intervals are those of the decoder's first
    batch, as many rows as one device has. Implementations take turns.

    Args:
      settings: arguments of `train`.
      rounds: calls of each.
    """
    arrays = _arrays(settings)
    programs: dict[str, Callable[..., Any]] = {}
    speeds: dict[str, Float[np.ndarray, " rounds"] | str] = {}
    for name, attend in track(
        implementations(jax.default_backend()).items(), "Compiling", transient=True
    ):
        program = jax.jit(functools.partial(_passes, attend))
        try:
            jax.block_until_ready(program(*arrays))
        # Another's kernel may fail in any way: the table says so.
        except Exception as error:
            reason = f"{error}".partition("\n")[0][:60]
            speeds[name] = f"{type(error).__name__}: {reason}"
        else:
            programs[name] = program
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for _ in track(range(rounds), "Timing attention", transient=True):
        for name, program in programs.items():
            begun = time.perf_counter()
            jax.block_until_ready(program(*arrays))
            seconds[name].append(time.perf_counter() - begun)
    return {name: np.array(each) for name, each in seconds.items()} | speeds


def implementations(platform: str) -> dict[str, Attend]:
    """By name: what training uses, and what else may run on a kind of device."""
    found: dict[str, Attend] = {OURS: interval_attention, PLAIN: reference_attention}
    kernels: Sequence[Kernel] = KERNELS if platform == "gpu" else ("xla_chunked",)
    for kernel in kernels:
        name = kernel if kernel == "cudnn" else f"tokamax, {kernel}"
        if kernel == "cudnn" or importlib.util.find_spec("tokamax") is not None:
            found[name] = functools.partial(gpu_attention, kernel=kernel)
    if platform != "gpu":
        found["jax.nn, mask"] = _masked
    return found


def _arrays(settings: Mapping[str, Any]) -> tuple[jax.Array | np.ndarray, ...]:
    """q, k, v, the gradient of the output, and both ends of the intervals."""
    model = settings["model"]
    stream = some_batches(settings["mixture"], settings)[0].decoder
    parts = jax.device_count() * settings.get("microbatches", 1)
    rows = max(1, settings["batch_rows"] // parts)
    ends = stream.visible_from[:rows], stream.visible_to[:rows]
    rng = np.random.default_rng(0)
    tensors = [
        jnp.asarray(
            rng.normal(size=(*ends[0].shape, heads, model.head_dim), scale=scale),
            model.compute_dtype,
        )
        for heads, scale in (
            (model.heads, model.head_dim**-0.5),
            (model.kv_heads, 1.0),
            (model.kv_heads, 1.0),
            (model.heads, 1.0),
        )
    ]
    return *tensors, *ends


def _passes(attend: Attend, q, k, v, d_out, start, stop) -> tuple[jax.Array, ...]:
    out, back = jax.vjp(lambda *x: attend(*x, start, stop), q, k, v)
    return out, *back(d_out)


def _masked(q, k, v, start, stop) -> jax.Array:
    slot = jnp.arange(k.shape[1])
    mask = (slot >= start[..., None]) & (slot < stop[..., None])  # [B T S]
    return jax.nn.dot_product_attention(q, k, v, mask=mask[:, None], scale=1.0)
