"""Interval attention on TPUs: scores stay on the chip.

FlashAttention-2 (Dao 2023, after Dao et al. 2022): the program of a block of queries
goes through blocks of keys and keeps a running maximum, sum and output; the backward
pass makes each block of weights again from the log of the sum. Two things are our own:

- Intervals instead of a mask, two numbers a query. The program of a block of queries
  goes only through the blocks of keys between its lowest `visible_from` and its highest
  `visible_to`: packed rows cost what their Examples cost.
- Slots lie along lanes. A program multiplies the queries of all R heads of a group at
  once, as [K, R·t], so keys are read once for them; scores are [s, R·t]. What a query
  has one of (interval, maximum, sum) takes one lane, where it would be repeated along
  128 otherwise, and in memory heads of 64 are not padded to 128.

A bias by distance is made for each block of scores from positions; its gradient is
summed on the chip, for each head and run of distances.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.ad_checkpoint import checkpoint_name
from jaxtyping import Float, Float32, Int32

from ..rows import Array
from . import kernels
from .blocks import LANES, Blocks, blocks_for
from .distance_bias import DistanceBias, Runs
from .in_kernel_bias import Biased
from .programs import Axes, launch


class _Static(NamedTuple):
    """What a program is compiled for."""

    blocks: Blocks
    runs: Runs | None
    interpret: bool


class _Places(NamedTuple):
    """Where slots stand, and what they see; positions only if there is a bias."""

    intervals: Int32[jax.Array, "B 2 T"]
    queries: Int32[jax.Array, "B 1 T"] | None
    keys: Int32[jax.Array, "B 1 S"] | None


def pallas_attention(
    q: Float[jax.Array, "B T H K"],
    k: Float[jax.Array, "B S G K"],
    v: Float[jax.Array, "B S G K"],
    visible_from: Int32[Array, "B T"],
    visible_to: Int32[Array, "B T"],
    bias: DistanceBias | None = None,
    *,
    blocks: Blocks | None = None,
    interpret: bool = False,
) -> Float[jax.Array, "B T H K"]:
    """`interval_attention` on one TPU.

    Args:
      q: queries.
      k: keys.
      v: values.
      visible_from: first visible slot.
      visible_to: one past the last.
      bias: added to the scores.
      blocks: sizes; None chooses them.
      interpret: whether to run it, slowly, on another backend.
    """
    slots, heads, memory, groups = *q.shape[1:3], *k.shape[1:3]
    if blocks is None:
        ratio = heads // groups
        blocks = blocks_for(heads_a_group=ratio, slots=slots, memory=memory)
    ends = jnp.maximum(visible_from, 0), jnp.minimum(visible_to, memory)
    intervals = _padded(jnp.stack(ends, axis=1), blocks.queries)  # of no slot: empty
    places, values = _Places(intervals, None, None), None
    if bias is not None:
        queries = _padded(jnp.asarray(bias.query_positions)[:, None], blocks.queries)
        keys = _padded(jnp.asarray(bias.positions)[:, None], blocks.keys)
        places = _Places(intervals, queries, keys)
        values = bias.values.reshape(groups, heads // groups, -1)  # [H n] -> [G R n]
        values = _padded(values, LANES)
    q, k, v = (x.transpose(0, 2, 3, 1) for x in (q, k, v))  # [B T H K] -> [B H K T]
    q = q.reshape(q.shape[0], groups, -1, *q.shape[2:])  # [B G R K T]
    q = _padded(q, blocks.queries)
    k, v = _padded(k, blocks.keys), _padded(v, blocks.keys)
    static = _Static(blocks, None if bias is None else bias.runs, interpret)
    out: jax.Array = _attend(q, k, v, values, places, static)  # [B G R K T]
    out = out.reshape(out.shape[0], heads, *out.shape[3:])[..., :slots]
    return out.transpose(0, 3, 1, 2)  # [B H K T] -> [B T H K]


def _padded(x: jax.Array, block: int) -> jax.Array:
    more = -x.shape[-1] % block
    return jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, more)])


@functools.partial(jax.custom_vjp, nondiff_argnums=(5,))
def _attend(
    q: Float[jax.Array, "B G R K T"],
    k: Float[jax.Array, "B G K S"],
    v: Float[jax.Array, "B G K S"],
    values: Float32[jax.Array, "G R runs"] | None,
    places: _Places,
    static: _Static,
) -> Float[jax.Array, "B G R K T"]:
    return _forward(q, k, v, values, places, static)[0]


_QUERIES: Axes = ("row", "group", None, None, "queries")
_KEYS: Axes = ("row", "group", None, "keys")
_GRADIENT: Axes = ("row", "group", None, None, "programs")


def _forward(
    q: jax.Array,
    k: jax.Array,
    v: jax.Array,
    values: jax.Array | None,
    places: _Places,
    static: _Static,
) -> tuple[jax.Array, tuple]:
    """The output; and what `_backward` needs, with the log of each query's sum."""
    *lead, width, slots = q.shape
    columns = q.shape[2] * static.blocks.queries
    bias, bias_axes = _biased(values, places, static.runs)
    out, log_sum = launch(
        kernels.forward,
        places.intervals,
        (bias, q, k, v),
        (_like(q), jax.ShapeDtypeStruct((*lead, 1, slots), jnp.float32)),
        axes=(bias_axes, _QUERIES, _KEYS, _KEYS),
        output_axes=(_QUERIES, _QUERIES),
        scratch=((1, columns), (1, columns), (width, columns)),
        outer="queries",
        **_costs(q, k, static, products=2),
    )
    # Named here, so that where the output is kept the kernel does not run again.
    out, log_sum = (checkpoint_name(x, "attention") for x in (out, log_sum))
    return out, (q, k, v, values, places, out, log_sum)


def _backward(
    static: _Static, kept: tuple, d_out: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array | None, None]:
    """The gradients of queries, keys, values and the bias; places have none."""
    q, k, v, values, places, out, log_sum = kept
    shift = jnp.sum(
        out.astype(jnp.float32) * d_out.astype(jnp.float32), axis=-2, keepdims=True
    )
    bias, bias_axes = _biased(values, places, static.runs)
    inputs, width = (bias, q, k, v, d_out, log_sum, shift), q.shape[-2]
    axes = (bias_axes, _QUERIES, _KEYS, _KEYS, _QUERIES, _QUERIES, _QUERIES)
    per_program = _gradient_of_values(q, values, static.blocks)
    d_q, *d_bias = launch(
        kernels.backward_queries,
        places.intervals,
        inputs,
        (_like(q), *per_program),
        axes=axes,
        output_axes=(_QUERIES, *(_GRADIENT for _ in per_program)),
        scratch=((width, q.shape[2] * static.blocks.queries),),
        outer="queries",
        **_costs(q, k, static, products=3),
    )
    d_k, d_v = launch(
        kernels.backward_keys,
        places.intervals,
        inputs,
        (_like(k), _like(v)),
        axes=axes,
        output_axes=(_KEYS, _KEYS),
        scratch=((static.blocks.keys, width),) * 2,
        outer="keys",
        **_costs(q, k, static, products=4),
    )
    # [B G R runs L] -> [G R runs]: rows, blocks of queries and lanes.
    d_values = d_bias[0].sum((0, -1)) if d_bias else None
    return d_q, d_k, d_v, d_values, None


_attend.defvjp(_forward, _backward)


def _biased(
    values: jax.Array | None, places: _Places, runs: Runs | None
) -> tuple[Biased | None, Biased | None]:
    """What kernels make a bias of, and its axes."""
    if values is None or runs is None:
        return None, None
    side = "row", None
    axes = Biased((*side, "queries"), (*side, "keys"), ("group", None, None), runs)
    return Biased(places.queries, places.keys, values, runs), axes


def _gradient_of_values(
    q: jax.Array, values: jax.Array | None, blocks: Blocks
) -> list[jax.ShapeDtypeStruct]:
    """What programs sum up of the gradient of a bias, each in lanes of its own."""
    if values is None:
        return []
    lanes = q.shape[-1] // blocks.queries * LANES
    shape = (*q.shape[:3], values.shape[-1], lanes)
    return [jax.ShapeDtypeStruct(shape, jnp.float32)]


def _like(x: jax.Array) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(x.shape, x.dtype)


def _costs(q: jax.Array, k: jax.Array, static: _Static, *, products: int) -> dict:
    """What programs of `products` matrix products a block are started with."""
    scores = q.size // q.shape[-2] * k.shape[-1]
    return {
        "groups": q.shape[1],
        "memory": k.shape[-1],
        "operations": 2 * products * q.shape[-2] * scores,
        "exponentials": scores,
        "blocks": static.blocks,
        "interpret": static.interpret,
    }
