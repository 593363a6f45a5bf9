"""How the kernels of a TPU are started: grids, and which block each step gets."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import tpu as pltpu
from jaxtyping import Int32, PyTree

from .blocks import LANES, Blocks, walk_of

Axes = tuple[str | None, ...]
"""What each dimension is divided by: "row", "group", "queries" or "keys" (in blocks),
"programs" (128 lanes for each program); None is whole."""


def launch(
    kernel: Callable[..., None],
    intervals: Int32[jax.Array, "B 2 T"],
    inputs: PyTree[jax.Array],
    outputs: Sequence[jax.ShapeDtypeStruct],
    **settings: Any,
) -> Sequence[jax.Array]:
    """`_programs`, one call after another under `vmap`.

    Pallas would add a dimension to a grid whose size is only known when it runs, and
    then computes something else (jax 0.10.1).
    """

    @jax.custom_batching.sequential_vmap
    def one(intervals, inputs):
        return _programs(kernel, intervals, inputs, outputs, **settings)

    return one(intervals, inputs)


def _programs(
    kernel: Callable[..., None],
    intervals: Int32[jax.Array, "B 2 T"],
    inputs: PyTree[jax.Array],
    outputs: Sequence[jax.ShapeDtypeStruct],
    *,
    axes: PyTree[Axes],
    output_axes: Sequence[Axes],
    groups: int,
    memory: int,
    scratch: Sequence[tuple[int, int]],
    outer: Literal["queries", "keys"],
    operations: int,
    exponentials: int,
    blocks: Blocks,
    interpret: bool,
) -> Sequence[jax.Array]:
    """Starts a program for each row, group, and block of `outer`, in any order.

    Each one takes as many steps as its longest walk over the blocks of the other side
    needs. Where a walk is shorter its last block stays, and nothing is moved.

    Args:
      kernel: of `kernels`.
      intervals: padded to blocks.
      inputs: of the kernel, after the intervals.
      outputs: their shapes.
      axes: of each input.
      output_axes: of each output.
      groups: G.
      memory: S, padded to blocks.
      scratch: shapes of float32 that stay from step to step.
      outer: the side that a program stays on.
      operations: of all pairs, as if nothing were skipped: what XLA would count.
      exponentials: likewise.
      blocks: sizes.
      interpret: as in `pallas_attention`.
    """
    batch = intervals.shape[0]
    walk = walk_of(intervals, blocks=blocks, memory=memory)
    ranges = slice(0, 2) if outer == "queries" else slice(2, 4)
    first, last = walk[ranges]
    programs = first.shape[0] // batch
    sizes = {"queries": blocks.queries, "keys": blocks.keys, "programs": LANES}

    def block_of(side: str | None, row, program, step, *walk):
        if side in (outer, "programs"):
            return program
        first, last = walk[ranges]
        place = row * programs + program
        return jnp.minimum(first[place] + step, last[place] - 1)

    def spec(x: jax.Array | jax.ShapeDtypeStruct, axes: Axes) -> pl.BlockSpec:
        def index(row, group, *at):
            fixed = {"row": row, "group": group, None: 0}
            return tuple(
                fixed[axis] if axis in fixed else block_of(axis, row, *at)
                for axis in axes
            )

        block = (
            None if axis in ("row", "group") else size if axis is None else sizes[axis]
            for axis, size in zip(axes, x.shape, strict=True)
        )
        return pl.BlockSpec(tuple(block), index)

    moved = (*jax.tree.leaves(inputs), *outputs)
    return pl.pallas_call(
        kernel,
        out_shape=outputs,
        grid_spec=pltpu.PrefetchScalarGridSpec(
            num_scalar_prefetch=len(walk),
            grid=(batch, groups, programs, jnp.maximum((last - first).max(), 1)),
            in_specs=[
                spec(intervals, ("row", None, "queries")),
                *jax.tree.map(spec, inputs, axes),
            ],
            out_specs=[*map(spec, outputs, output_axes)],
            scratch_shapes=[pltpu.VMEM(shape, jnp.float32) for shape in scratch],
        ),
        compiler_params=pltpu.CompilerParams(
            dimension_semantics=("parallel", "parallel", "parallel", "arbitrary")
        ),
        cost_estimate=pl.CostEstimate(
            flops=operations,
            transcendentals=exponentials,
            bytes_accessed=sum(x.size * x.dtype.itemsize for x in moved),
        ),
        name=f"interval_attention_{kernel.__name__}",
        interpret=interpret,
    )(*walk, intervals, *inputs)
