"""Interval attention, by the implementation that suits the devices."""

import functools
from collections.abc import Callable

import jax
from jax.ad_checkpoint import checkpoint_name
from jaxtyping import Float, Float32, Int32

from ...objectives.errors import UsageError
from ..axes import partition_spec
from ..rows import Array
from .distance_bias import DistanceBias
from .reference import reference_attention

_LEAST_SLOTS = 128
"""Queries of a row below which scores are computed in one piece: a step of decoding has
one, and a block of the TPU's kernel 128."""


def interval_attention(
    q: Float[jax.Array, "B T H K"],
    k: Float[jax.Array, "B S G K"],
    v: Float[jax.Array, "B S G K"],
    visible_from: Int32[Array, "B T"],
    visible_to: Int32[Array, "B T"],
    *,
    bias: DistanceBias | Float32[jax.Array, "B H T S"] | None = None,
) -> Float[jax.Array, "B T H K"]:
    """Attention of slot t to exactly the slots in `[visible_from[t], visible_to[t])`.

    `out[t] = Σ_s softmax_s(q[t]·k[s] + bias[t, s]) v[s]` over the interval, with the
    softmax in float32. An empty interval gives exactly zero, and finite gradients.
    Scores are not scaled: RoPE attention hands in queries already divided by √K, T5
    uses none.

    On TPUs a kernel computes it whose scores stay on the chip (`pallas`), and on GPUs
    one of tokamax or cuDNN's, the first that works (`gpu`), but not with a bias. With a
    bias that is an array, as large as the scores, with few queries, and on CPUs, XLA
    does (`reference`). The devices are those of the mesh in context, which need not be
    this machine's, or else JAX's default. What is made is named "attention" for
    `jax.checkpoint`.

    Args:
      q: queries of H heads; head h reads the keys of group h // (H / G).
      k: keys of G groups, which divide H (grouped-query attention, Ainslie et al.
        2023).
      v: values of the same groups.
      visible_from: first visible slot, of S.
      visible_to: one past the last visible slot.
      bias: added to the scores.

    Raises:
      ValueError: G does not divide H.
    """
    heads, groups = q.shape[2], k.shape[2]
    if heads % groups:
        raise UsageError(f"{groups} key heads do not divide {heads} query heads.")
    if q.shape[1] >= _LEAST_SLOTS and not isinstance(bias, jax.Array):
        kernel = _kernel_for(q, k, bias)
        if kernel is not None:
            return kernel(q, k, v, visible_from, visible_to)
    if isinstance(bias, DistanceBias):
        bias = bias.array()
    out = reference_attention(q, k, v, visible_from, visible_to, bias=bias)
    return checkpoint_name(out, "attention")


def shared_bias(
    bias: DistanceBias,
) -> DistanceBias | Float32[jax.Array, "B H T S"]:
    """A bias of several layers, as `interval_attention` takes it from each of them.

    Where XLA computes attention it is made an array once.
    """
    kernel = _platform() == "tpu" and bias.query_positions.shape[1] >= _LEAST_SLOTS
    return bias if kernel else bias.array()


def _kernel_for(
    q: jax.Array, k: jax.Array, bias: DistanceBias | None
) -> Callable[..., jax.Array] | None:
    """The kernel for the devices, on all of them; None if there is none."""
    # Loaded where they are used: they take seconds.
    platform = _platform()
    if platform == "tpu":
        from .pallas import pallas_attention

        return functools.partial(_divided, pallas_attention, bias=bias)
    if platform == "gpu" and bias is None:
        from .gpu import gpu_attention, gpu_kernel

        ratio = q.shape[2] // k.shape[2]
        kernel = gpu_kernel(dtype=q.dtype.name, heads_a_group=ratio, width=q.shape[-1])
        if kernel is not None:

            def attend(*arrays: jax.Array) -> jax.Array:
                out = gpu_attention(*arrays, kernel=kernel)
                return checkpoint_name(out, "attention")

            return functools.partial(_divided, attend)
    return None


def _platform() -> str:
    """What is compiled for; of a planned mesh that is not what this machine has."""
    device = jax.sharding.get_abstract_mesh().abstract_device
    return jax.default_backend() if device is None else device.platform


def _divided(
    attend: Callable[..., jax.Array],
    q: jax.Array,
    k: jax.Array,
    v: jax.Array,
    visible_from: Array,
    visible_to: Array,
    *,
    bias: DistanceBias | None = None,
) -> jax.Array:
    """A kernel on each device's part, which XLA cannot divide by itself.

    Rows, queries and heads are divided by the mesh in context; keys are whole along
    slots, and their gradients summed over the devices that share them. Of a bias the
    gradient is summed over all that have the same heads.
    """
    more = () if bias is None else (bias,)
    if jax.sharding.get_abstract_mesh().empty:
        return attend(q, k, v, visible_from, visible_to, *more)
    queries = partition_spec(("batch", "slots", "heads", None))
    keys = partition_spec(("batch", None, "kv", None))
    ends = partition_spec(("batch", "slots"))
    of_bias = [
        each._replace(
            values=partition_spec(("heads", None)),
            query_positions=ends,
            positions=partition_spec(("batch", None)),
        )
        for each in more
    ]
    divided = jax.shard_map(
        attend,
        in_specs=(queries, keys, keys, ends, ends, *of_bias),
        out_specs=queries,
        check_vma=False,
    )
    return divided(q, k, v, visible_from, visible_to, *more)
