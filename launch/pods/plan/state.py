"""What a step is given, per device: bytes by the rules of its shardings."""

import dataclasses
import math

import jax
from jaxtyping import PyTree

from ...training.program import Program


@dataclasses.dataclass(frozen=True)
class Held:
    """An array of the state on each device.

    Attributes:
      name: "params.layers.mlp.down".
      bytes: on a device.
      whole: bytes of the whole array.
    """

    name: str
    bytes: int
    whole: int

    @property
    def copies(self) -> float:
        """Devices over which the array is divided, as a share of one copy each."""
        return self.whole / self.bytes


@dataclasses.dataclass(frozen=True)
class State:
    """What a step is given.

    Attributes:
      parameters: arrays of the model.
      optimizer: arrays of the optimiser's state.
      batch: bytes of the rows, and of everything else that is small.
    """

    parameters: tuple[Held, ...]
    optimizer: tuple[Held, ...]
    batch: int

    @property
    def parameter_bytes(self) -> int:
        """On a device."""
        return sum(one.bytes for one in self.parameters)

    @property
    def optimizer_bytes(self) -> int:
        """On a device."""
        return sum(one.bytes for one in self.optimizer)


def state_of(program: Program) -> State:
    """The arrays that a program's step is given, before anything is compiled."""
    state = program.abstract_state
    rest = state._replace(params=(), opt_state=())
    counters = sum(one.bytes for one in _held(rest))
    rows = sum(
        math.prod(sharding.shard_shape(array.shape)) * array.dtype.itemsize
        for array, sharding in zip(
            jax.tree.leaves(program.abstract_batch),
            jax.tree.leaves(program.batch_shardings),
            strict=True,
        )
    )
    return State(_held(state.params), _held(state.opt_state), counters + rows)


def _held(tree: PyTree) -> tuple[Held, ...]:
    return tuple(
        Held(
            name=jax.tree_util.keystr(path, simple=True, separator="."),
            bytes=math.prod(array.sharding.shard_shape(array.shape))
            * array.dtype.itemsize,
            whole=array.size * array.dtype.itemsize,
        )
        for path, array in jax.tree_util.tree_leaves_with_path(tree)
    )
