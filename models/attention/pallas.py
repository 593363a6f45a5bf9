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
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax.ad_checkpoint import checkpoint_name
from jax.experimental import pallas as pl
from jax.experimental.pallas import tpu as pltpu
from jaxtyping import Float, Int32

from ..rows import Array
from . import kernels
from .blocks import Blocks, blocks_for, walk_of


def pallas_attention(
    q: Float[jax.Array, "B T H K"],
    k: Float[jax.Array, "B S G K"],
    v: Float[jax.Array, "B S G K"],
    visible_from: Int32[Array, "B T"],
    visible_to: Int32[Array, "B T"],
    *,
    blocks: Blocks | None = None,
    interpret: bool = False,
) -> Float[jax.Array, "B T H K"]:
    """`interval_attention` on one TPU, without bias.

    Args:
      q: queries.
      k: keys.
      v: values.
      visible_from: first visible slot.
      visible_to: one past the last.
      blocks: sizes; None chooses them.
      interpret: whether to run it, slowly, on another backend.
    """
    slots, heads, memory, groups = *q.shape[1:3], *k.shape[1:3]
    if blocks is None:
        ratio = heads // groups
        blocks = blocks_for(heads_a_group=ratio, slots=slots, memory=memory)
    ends = jnp.maximum(visible_from, 0), jnp.minimum(visible_to, memory)
    intervals = _padded(jnp.stack(ends, axis=1), blocks.queries)  # of no slot: empty
    q, k, v = (x.transpose(0, 2, 3, 1) for x in (q, k, v))  # [B T H K] -> [B H K T]
    q = q.reshape(q.shape[0], groups, -1, *q.shape[2:])  # [B G R K T]
    q = _padded(q, blocks.queries)
    k, v = _padded(k, blocks.keys), _padded(v, blocks.keys)
    out: jax.Array = _attend(q, k, v, intervals, blocks, interpret)  # [B G R K T]
    out = out.reshape(out.shape[0], heads, *out.shape[3:])[..., :slots]
    return out.transpose(0, 3, 1, 2)  # [B H K T] -> [B T H K]


def _padded(x: jax.Array, block: int) -> jax.Array:
    more = -x.shape[-1] % block
    return jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, more)])


@functools.partial(jax.custom_vjp, nondiff_argnums=(4, 5))
def _attend(
    q: Float[jax.Array, "B G R K T"],
    k: Float[jax.Array, "B G K S"],
    v: Float[jax.Array, "B G K S"],
    intervals: Int32[jax.Array, "B 2 T"],
    blocks: Blocks,
    interpret: bool,
) -> Float[jax.Array, "B G R K T"]:
    return _forward(q, k, v, intervals, blocks, interpret)[0]


def _forward(
    q: jax.Array,
    k: jax.Array,
    v: jax.Array,
    intervals: jax.Array,
    blocks: Blocks,
    interpret: bool,
) -> tuple[jax.Array, tuple[jax.Array, ...]]:
    """The output; and what `_backward` needs, with the log of each query's sum."""
    *lead, width, _ = q.shape
    columns = q.shape[2] * blocks.queries
    out, log_sum = _launch(
        kernels.forward,
        intervals,
        (q, k, v),
        (q, jax.ShapeDtypeStruct((*lead, 1, q.shape[-1]), jnp.float32)),
        scratch=((1, columns), (1, columns), (width, columns)),
        outer="queries",
        products=2,
        blocks=blocks,
        interpret=interpret,
    )
    # Named here, so that where the output is kept the kernel does not run again.
    out, log_sum = (checkpoint_name(x, "attention") for x in (out, log_sum))
    return out, (q, k, v, intervals, out, log_sum)


def _backward(
    blocks: Blocks, interpret: bool, kept: tuple[jax.Array, ...], d_out: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array, None]:
    """The gradients of queries, keys and values; intervals have none."""
    q, k, v, intervals, out, log_sum = kept
    shift = jnp.sum(
        out.astype(jnp.float32) * d_out.astype(jnp.float32), axis=-2, keepdims=True
    )
    launch = functools.partial(_launch, blocks=blocks, interpret=interpret)
    inputs, width = (q, k, v, d_out, log_sum, shift), q.shape[-2]
    (d_q,) = launch(
        kernels.backward_queries,
        intervals,
        inputs,
        (q,),
        scratch=((width, q.shape[2] * blocks.queries),),
        outer="queries",
        products=3,
    )
    d_k, d_v = launch(
        kernels.backward_keys,
        intervals,
        inputs,
        (k, v),
        scratch=((blocks.keys, width),) * 2,
        outer="keys",
        products=4,
    )
    return d_q, d_k, d_v, None


_attend.defvjp(_forward, _backward)


def _launch(
    kernel: Callable[..., None],
    intervals: Int32[jax.Array, "B 2 T"],
    inputs: Sequence[jax.Array],
    outputs: Sequence[jax.Array | jax.ShapeDtypeStruct],
    **settings: Any,
) -> Sequence[jax.Array]:
    """`_programs`, one call after another under `vmap`.

    Pallas would add a dimension to a grid whose size is only known when it runs, and
    then computes something else (jax 0.10.1).
    """
    like = [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in outputs]

    @jax.custom_batching.sequential_vmap
    def one(intervals, *inputs):
        return _programs(kernel, intervals, inputs, like, **settings)

    return one(intervals, *inputs)


def _programs(
    kernel: Callable[..., None],
    intervals: Int32[jax.Array, "B 2 T"],
    inputs: Sequence[jax.Array],
    outputs: Sequence[jax.ShapeDtypeStruct],
    *,
    scratch: Sequence[tuple[int, int]],
    outer: Literal["queries", "keys"],
    products: int,
    blocks: Blocks,
    interpret: bool,
) -> Sequence[jax.Array]:
    """Starts a program for each row, group, and block of `outer`, in any order.

    Each one takes as many steps as its longest walk over the blocks of the other side
    needs. Where a walk is shorter its last block stays, and nothing is moved.

    Args:
      kernel: of `kernels`.
      intervals: padded to blocks.
      inputs: [B G R · T] lie along queries, [B G · S] along keys.
      outputs: their shapes.
      scratch: shapes of float32 that stay from step to step.
      outer: the side that a program stays on.
      products: matrix products of a block of scores.
      blocks: sizes.
      interpret: as in `pallas_attention`.
    """
    q, k = inputs[:2]
    batch, groups, heads, width, slots = q.shape
    memory = k.shape[-1]
    walk = walk_of(intervals, blocks=blocks, memory=memory)
    ranges = slice(0, 2) if outer == "queries" else slice(2, 4)
    first, last = walk[ranges]
    programs = first.shape[0] // batch

    def block_of(side: str, row, program, step, *walk):
        if side == outer:
            return program
        first, last = walk[ranges]
        place = row * programs + program
        return jnp.minimum(first[place] + step, last[place] - 1)

    def spec(x: jax.Array | jax.ShapeDtypeStruct) -> pl.BlockSpec:
        side = "queries" if len(x.shape) == 5 else "keys"
        whole = x.shape[2:-1]

        def index(row, group, *at):
            return row, group, *(0 for _ in whole), block_of(side, row, *at)

        return pl.BlockSpec((None, None, *whole, getattr(blocks, side)), index)

    interval_spec = pl.BlockSpec(
        (None, 2, blocks.queries),
        lambda row, _, *at: (row, 0, block_of("queries", row, *at)),
    )
    scores = batch * groups * heads * slots * memory
    return pl.pallas_call(
        kernel,
        out_shape=outputs,
        grid_spec=pltpu.PrefetchScalarGridSpec(
            num_scalar_prefetch=len(walk),
            grid=(batch, groups, programs, jnp.maximum((last - first).max(), 1)),
            in_specs=[interval_spec, *map(spec, inputs)],
            out_specs=[spec(x) for x in outputs],
            scratch_shapes=[pltpu.VMEM(shape, jnp.float32) for shape in scratch],
        ),
        compiler_params=pltpu.CompilerParams(
            dimension_semantics=("parallel", "parallel", "parallel", "arbitrary")
        ),
        # Of all pairs, as if nothing were skipped: what XLA would count.
        cost_estimate=pl.CostEstimate(
            flops=2 * products * width * scores,
            transcendentals=scores,
            bytes_accessed=sum(x.size * x.dtype.itemsize for x in (*inputs, *outputs)),
        ),
        name=f"interval_attention_{kernel.__name__}",
        interpret=interpret,
    )(*walk, intervals, *inputs)
