"""Newton–Schulz on stacks of matrices, each matrix whole on one device.

Where parameters are sharded, every iteration would gather every stack on every device.
Instead the matrices of a layer stack are dealt out like cards: one all-to-all brings
each matrix together on a device of its own, where all iterations run, and one brings
the result back to the shards. Stacks of equal matrices are dealt together, so that few
devices are left without one; what is dealt stays float32, so that the update is the
same on every mesh.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float
from optax.contrib import MuonDimensionNumbers

from ...models.axes import partition_spec

Stack = Float[Array, "N rows columns"]


class Matrices(NamedTuple):
    """Equal matrices, one above the other.

    Attributes:
      stack: [N rows columns].
      axes: names of rows and columns, or None where it has none.
    """

    stack: Stack
    axes: tuple[str | None, str | None] | None = None


def newton_schulz(stacks: list[Matrices], *, steps: int) -> list[Stack]:
    """Orthogonalises every matrix of every stack by itself.

    Args:
      stacks: sharded over the mesh in context by the names of their axes; without a
        mesh they are whole.
      steps: iterations.
    """
    alone = optax.contrib.scale_by_muon(
        ns_steps=steps,
        beta=0.0,
        nesterov=False,  # without momentum, all that it does is orthogonalise
        weight_dimension_numbers=MuonDimensionNumbers((1,), (2,)),
    )

    def orthogonal(stack: Stack) -> Stack:
        return alone.update(stack, alone.init(stack))[0]

    hands, made = defaultdict(list), [Array] * len(stacks)
    for index, (stack, axes) in enumerate(stacks):
        if axes is None or "embed" not in axes or _shards(axes) == 1:
            made[index] = orthogonal(stack)
            continue
        # An orthogonalised transpose is the transpose of the orthogonalised.
        turned = axes[0] != "embed"
        stack = stack.swapaxes(1, 2) if turned else stack
        other = axes[0] if turned else axes[1]
        hands[stack.shape[1:], other].append((index, stack, turned))
    for (_, other), hand in hands.items():
        whole = jnp.concatenate([stack for _, stack, _ in hand])
        dealt, start = _dealt(orthogonal, whole, ("embed", other)), 0
        for index, stack, turned in hand:
            part = dealt[start : start + len(stack)]
            made[index] = part.swapaxes(1, 2) if turned else part
            start += len(stack)
    return made


def _dealt(
    function: Callable[[Stack], Stack], stack: Stack, axes: tuple[str, str | None]
) -> Stack:
    """`function` of a stack sharded by its rows and columns, on whole matrices."""
    spec = partition_spec((None, *axes))
    sharded = [(axis, name) for axis, name in enumerate(spec) if name is not None]
    fill = -len(stack) % _shards(axes)

    def own(part: Stack) -> Stack:
        part = jax.lax.optimization_barrier(jnp.pad(part, ((0, fill), (0, 0), (0, 0))))
        for axis, name in sharded:
            part = jax.lax.all_to_all(part, name, 0, axis, tiled=True)
        part = function(part)
        for axis, name in reversed(sharded):
            part = jax.lax.all_to_all(part, name, axis, 0, tiled=True)
        return part[: len(stack)]

    return jax.shard_map(own, in_specs=spec, out_specs=spec)(stack)


def _shards(axes: tuple[str | None, ...]) -> int:
    """The devices that one matrix is spread over."""
    sizes = jax.sharding.get_abstract_mesh().shape
    names = [name for name in partition_spec(axes) if name is not None]
    shards = 1
    for name in names:
        shards *= sizes.get(name, 1)
    return shards
