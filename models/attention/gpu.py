"""Interval attention on GPUs: kernels that do not write scores to memory.

Those of tokamax take ranges of keys. Forwards both skip blocks of keys that no query
of a block sees; backwards they visit all. "mosaic_gpu" (Hopper and later) reads two
int32 a query in both passes, "triton" (Ampere and later) forwards; backwards it reads a
mask of bytes [B, 1, T, S]. "cudnn" is cuDNN's, by `jax.nn`: in both passes it reads a
mask in the dtype of the queries, [B, 1, T, S], and visits all blocks.
"""

import functools
import importlib.util
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int32

from ...objectives.errors import first_line
from ..rows import Array
from .reference import reference_attention

_LOG = logging.getLogger(__name__)

Kernel = Literal["mosaic_gpu", "triton", "cudnn", "xla_chunked"]
KERNELS: tuple[Kernel, ...] = ("mosaic_gpu", "triton", "cudnn")
"""Those of GPUs, the first to be tried first; "xla_chunked", of tokamax, is for tests,
and runs everywhere."""

_TOLERANCE = 0.01
"""‖kernel − reference‖ / ‖reference‖ of an output or gradient, the reference in
float32. In bfloat16 the reference itself and cuDNN are .002 to .003 away; one wrong
query of 256 is .06. Single values would be no measure: where a query sees one key, its
gradient is the difference of two equal sums, of which a kernel keeps one in bfloat16.
"""


def gpu_attention(
    q: Float[jax.Array, "B T H K"],
    k: Float[jax.Array, "B S G K"],
    v: Float[jax.Array, "B S G K"],
    visible_from: Int32[Array, "B T"],
    visible_to: Int32[Array, "B T"],
    *,
    kernel: Kernel,
) -> Float[jax.Array, "B T H K"]:
    """`interval_attention` by a kernel, without bias.

    Args:
      q: queries.
      k: keys.
      v: values.
      visible_from: first visible slot.
      visible_to: one past the last.
      kernel: which.
    """
    start = jnp.maximum(visible_from, 0)
    stop = jnp.minimum(visible_to, k.shape[1])
    empty = start >= stop
    # An empty interval would be the mean of all values. It sees one slot near those of
    # its neighbours, so that no block is read for it, and is set to zero afterwards.
    near = jax.lax.cummax(jnp.where(empty, 0, start), axis=1)
    start, stop = jnp.where(empty, near, start), jnp.where(empty, near + 1, stop)
    attend = _cudnn if kernel == "cudnn" else functools.partial(_tokamax, kernel=kernel)
    out = attend(q, k, v, start, stop)
    return jnp.where(empty[..., None, None], 0, out)


def _tokamax(q, k, v, start, stop, *, kernel: Kernel) -> jax.Array:
    from absl import flags

    # Its public function takes no ranges of keys; the version is pinned.
    from tokamax._src.ops.attention import (  # pyright: ignore[reportMissingImports]
        api,
        base,
    )

    if not flags.FLAGS.is_parsed():
        # Tokamax would otherwise read its flags from this program's arguments.
        flags.FLAGS.mark_as_parsed()
    mask = base.Mask(k_start=start[:, None], k_end=stop[:, None])
    return api.IMPLEMENTATIONS[kernel](q, k, v, mask=mask, logits_scale=1.0)


def _cudnn(q, k, v, start, stop) -> jax.Array:
    slots = q.shape[1]
    # With a mask it takes even numbers of slots only. No query sees an added key, and
    # what an added query sees is cut off.
    q, k, v = (_even(x) for x in (q, k, v))
    start, stop = _even(start), _even(stop)
    slot = jnp.arange(k.shape[1])
    mask = (slot >= start[..., None]) & (slot < stop[..., None])
    out = jax.nn.dot_product_attention(
        q, k, v, mask=mask[:, None], scale=1.0, implementation="cudnn"
    )
    return out[:, :slots]


def _even(array: Array) -> jax.Array:
    """An array with a slot more, where their number is odd."""
    widths = [(0, 0)] * array.ndim
    widths[1] = (0, array.shape[1] % 2)
    return jnp.pad(array, widths)


def gpu_kernel(*, dtype: str, heads_a_group: int, width: int) -> Kernel | None:
    """The first kernel that works here on heads like these; None is the reference.

    It works if it compiles on this process's first device, and its outputs and
    gradients are those of the reference. That is tried once, and logged.

    Args:
      dtype: of queries, keys and values. Kernels multiply in bfloat16 or float16.
      heads_a_group: H / G.
      width: K.
    """
    return _first_that_works(dtype, heads_a_group, width)


@functools.cache
def _first_that_works(dtype: str, heads_a_group: int, width: int) -> Kernel | None:
    reasons: dict[str, list[str]] = {}
    for kernel in KERNELS:
        reason = _known_objection(kernel, dtype) or objection(
            kernel, dtype=dtype, heads_a_group=heads_a_group, width=width
        )
        if reason is None:
            _LOG.info("Attention: the kernel %s.%s", kernel, _passed_over(reasons))
            return kernel
        reasons.setdefault(reason, []).append(kernel)
    _LOG.warning(
        "Attention: plain XLA, whose scores lie in memory.%s", _passed_over(reasons)
    )
    return None


def _passed_over(reasons: Mapping[str, Sequence[str]]) -> str:
    """The kernels that are not taken, by the reason why."""
    each = [f"{', '.join(kernels)}: {why}" for why, kernels in reasons.items()]
    return f" Not {'; '.join(each)}." if each else ""


def _known_objection(kernel: Kernel, dtype: str) -> str | None:
    """Why a kernel need not be tried."""
    if dtype not in ("bfloat16", "float16"):
        return f"kernels do not multiply in {dtype}"
    if kernel != "cudnn" and importlib.util.find_spec("tokamax") is None:
        return "tokamax is not installed: pip install 'sightline[cuda]'"
    return None


def objection(
    kernel: Kernel, *, dtype: str, heads_a_group: int, width: int
) -> str | None:
    """Why a kernel cannot be used on this device: an error, or wrong numbers.

    Arguments are those of `gpu_kernel`.
    """
    rng = np.random.default_rng(0)
    slots, shape = 256, (1, 256, heads_a_group, width)
    keys = (1, slots, 1, width)
    arrays = [
        rng.normal(size=s, scale=scale).astype(dtype)
        for s, scale in ((shape, width**-0.5), (keys, 1), (keys, 1), (shape, 1))
    ]
    start = rng.integers(0, slots, (1, slots)).astype(np.int32)
    stop = np.minimum(start + rng.integers(0, 80, (1, slots)), slots).astype(np.int32)

    def passes(attend, q, k, v, d_out):
        out, back = jax.vjp(lambda *x: attend(*x, start, stop), q, k, v)
        return out, *back(d_out)

    def compare() -> str | None:
        attend = functools.partial(gpu_attention, kernel=kernel)
        with jax.default_device(jax.local_devices()[0]):
            exact = [array.astype(np.float32) for array in arrays]
            expected = jax.jit(functools.partial(passes, reference_attention))(*exact)
            try:
                found = jax.jit(functools.partial(passes, attend))(*arrays)
                jax.block_until_ready(found)
            # Whatever goes wrong in a kernel, another one may work: that is logged.
            except Exception as error:
                return first_line(error)
        for ours, theirs in zip(found, expected, strict=True):
            theirs = np.asarray(theirs)
            distance = np.linalg.norm(np.asarray(ours, np.float32) - theirs)
            share = distance / np.linalg.norm(theirs)
            if not share <= _TOLERANCE:  # NaN too
                return f"its numbers are {share:.2g} away from the reference's"
        return None

    # A program is being traced, perhaps for a mesh: this one runs now, on one device.
    # Trace and mesh are of a thread. `jax.ensure_compile_time_eval` would leave the
    # trace as well, but within it no Pallas kernel can be traced.
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(compare).result()
