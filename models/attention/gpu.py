"""Interval attention on GPUs: kernels of tokamax, whose masks are ranges of keys.

Neither writes scores to memory. Forwards both skip blocks of keys that no query of a
block sees; backwards they visit all. "mosaic_gpu" (Hopper and later) reads two int32 a
query in both passes, "triton" (Ampere and later) forwards; backwards it reads a mask of
bytes [B, 1, T, S].
"""

import functools
import importlib.util
import logging
from collections.abc import Sequence
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int32

from ...objectives.errors import first_line
from ..rows import Array
from .reference import reference_attention

_LOG = logging.getLogger(__name__)

Kernel = Literal["mosaic_gpu", "triton", "xla_chunked"]
KERNELS: tuple[Kernel, ...] = ("mosaic_gpu", "triton")
"""Those of GPUs, the best first; "xla_chunked" is for tests, and runs everywhere."""

_TOLERANCE = 0.05
"""Of a kernel in bfloat16 against the reference, whose outputs are about 1."""


def tokamax_attention(
    q: Float[jax.Array, "B T H K"],
    k: Float[jax.Array, "B S G K"],
    v: Float[jax.Array, "B S G K"],
    visible_from: Int32[Array, "B T"],
    visible_to: Int32[Array, "B T"],
    *,
    kernel: Kernel,
) -> Float[jax.Array, "B T H K"]:
    """`interval_attention` by a kernel of tokamax, without bias.

    Args:
      q: queries.
      k: keys.
      v: values.
      visible_from: first visible slot.
      visible_to: one past the last.
      kernel: of tokamax.
    """
    from absl import flags

    # Its public function takes no ranges of keys; the version is pinned.
    from tokamax._src.ops.attention import (  # pyright: ignore[reportMissingImports]
        api,
        base,
    )

    if not flags.FLAGS.is_parsed():
        # Tokamax would otherwise read its flags from this program's arguments.
        flags.FLAGS.mark_as_parsed()
    start = jnp.maximum(visible_from, 0)
    stop = jnp.minimum(visible_to, k.shape[1])
    empty = start >= stop
    # An empty interval would be the mean of all values. It sees one slot near those of
    # its neighbours, so that no block is read for it, and is set to zero afterwards.
    near = jax.lax.cummax(jnp.where(empty, 0, start), axis=1)
    start, stop = jnp.where(empty, near, start), jnp.where(empty, near + 1, stop)
    mask = base.Mask(k_start=start[:, None], k_end=stop[:, None])
    out = api.IMPLEMENTATIONS[kernel](q, k, v, mask=mask, logits_scale=1.0)
    return jnp.where(empty[..., None, None], 0, out)


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
    reasons = list(_objections(dtype))
    for kernel in KERNELS if not reasons else ():
        reason = objection(
            kernel, dtype=dtype, heads_a_group=heads_a_group, width=width
        )
        if reason is None:
            _LOG.info("Attention: tokamax's kernel %s.", kernel)
            return kernel
        reasons.append(f"{kernel}: {reason}")
    _LOG.warning(
        "Attention: plain XLA, whose scores lie in memory (%s).", "; ".join(reasons)
    )
    return None


def _objections(dtype: str) -> Sequence[str]:
    if dtype not in ("bfloat16", "float16"):
        return [f"kernels do not multiply in {dtype}"]
    if importlib.util.find_spec("tokamax") is None:
        return ["tokamax is not installed: pip install 'sightline[cuda]'"]
    return []


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

    attend = functools.partial(tokamax_attention, kernel=kernel)
    # A program is being traced, perhaps for a mesh: this one runs now, on one device.
    with jax.ensure_compile_time_eval(), jax.default_device(jax.local_devices()[0]):
        expected = jax.jit(functools.partial(passes, reference_attention))(*arrays)
        try:
            found = jax.jit(functools.partial(passes, attend))(*arrays)
        # Whatever goes wrong in a kernel, another one may work: the reason is logged.
        except Exception as error:
            return first_line(error)
        for ours, theirs in zip(found, expected, strict=True):
            ours, theirs = (np.asarray(x, np.float32) for x in (ours, theirs))
            allowed = _TOLERANCE * (1 + np.abs(theirs))
            if not (np.abs(ours - theirs) <= allowed).all():  # NaN too
                return "its numbers are not those of the reference"
    return None
