"""Newton–Schulz on stacks of matrices, each matrix whole on one device.

Where parameters are sharded, every iteration would gather every stack on every device.
Instead matrices are dealt out: one all-to-all brings each of them together on a device
of its own, where all iterations run, and one brings the result back to the shards.
Stacks of equal matrices are dealt together, which leaves fewer devices without one.
What is exchanged stays float32, so that an update does not depend on the mesh.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.sharding import PartitionSpec
from jaxtyping import Array, Float
from optax.contrib import MuonDimensionNumbers

from ...models.axes import used_spec

Stack = Float[Array, "N rows columns"]


class Matrices(NamedTuple):
    """Equal matrices, one above the other.

    Attributes:
      stack: [N rows columns].
      axes: the logical axes of rows and columns; None where they have no names.
    """

    stack: Stack
    axes: tuple[str | None, str | None] | None = None


def newton_schulz(stacks: Sequence[Matrices], *, steps: int) -> list[Stack]:
    """Orthogonalises every matrix of every stack by itself.

    Args:
      stacks: sharded over the mesh in context by the names of their axes; without a
        mesh they are whole.
      steps: iterations, each with the coefficients of `optax.contrib.muon`.
    """
    alone = optax.contrib.scale_by_muon(
        ns_steps=steps,
        beta=0.0,
        nesterov=False,  # without momentum, all that it does is to orthogonalise
        weight_dimension_numbers=MuonDimensionNumbers((1,), (2,)),
    )

    def orthogonal(stack: Stack) -> Stack:
        return jnp.asarray(alone.update(stack, alone.init(stack))[0])

    made: dict[int, Stack] = {}
    hands = defaultdict(list)
    for index, (stack, axes) in enumerate(stacks):
        if axes is None or not any(used_spec(axes)):
            made[index] = orthogonal(stack)
            continue
        # A transposed matrix, orthogonalised, is the orthogonalised one transposed.
        turned = axes[1] == "embed"
        if turned:
            stack, axes = stack.swapaxes(1, 2), axes[::-1]
        hands[stack.shape[1:], used_spec((None, *axes))].append((index, turned, stack))
    for (_, spec), hand in hands.items():
        together = jnp.concatenate([stack for _, _, stack in hand])
        dealt, start = _dealt(orthogonal, together, spec), 0
        for index, turned, stack in hand:
            part = dealt[start : start + len(stack)]
            made[index] = part.swapaxes(1, 2) if turned else part
            start += len(stack)
    return [made[index] for index in range(len(stacks))]


def _dealt(
    function: Callable[[Stack], Stack], stack: Stack, spec: PartitionSpec
) -> Stack:
    """`function` of a stack sharded by rows and columns, each device on whole ones."""
    sharded = [(axis, name) for axis, name in enumerate(spec) if name is not None]
    sizes = jax.sharding.get_abstract_mesh().shape
    fill = -len(stack) % math.prod(sizes[name] for _, name in sharded)

    def own(part: Stack) -> Stack:
        part = jnp.pad(part, ((0, fill), (0, 0), (0, 0)))
        # XLA:CPU of jaxlib 0.10.1 otherwise fuses a transpose into some operands of
        # the exchange alone, and rejects its own program.
        part = jax.lax.optimization_barrier(part)
        for axis, name in sharded:
            part = jax.lax.all_to_all(part, name, 0, axis, tiled=True)
        part = function(part)
        for axis, name in reversed(sharded):
            part = jax.lax.all_to_all(part, name, axis, 0, tiled=True)
        return part[: len(stack)]

    return jax.shard_map(own, in_specs=spec, out_specs=spec)(stack)
