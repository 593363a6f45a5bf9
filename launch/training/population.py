"""Many proxies of one shape, trained side by side in one program.

The train step is that of `step`, mapped over a leading axis of states, batches and loss
shares. A proxy lies whole on one device, and the devices share them out: nothing is
sent between them. Small models leave most of a device idle, so that k of them take less
than k times as long as one.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec
from jaxtyping import Array, Float32, PyTree

from ...models.axes import MESH_AXES
from ...models.loss import ObjectiveSums
from ...models.rows import Batch
from ...objectives.errors import UsageError, require_seed
from ...objectives.registry import CAPACITY
from .program import Program
from .state import TrainState
from .step import StepMetrics

PopulationStep = Callable[
    [TrainState, Batch, Float32[Array | np.ndarray, "k O"]],
    tuple[TrainState, StepMetrics],
]
PopulationEvalStep = Callable[[PyTree, Batch], ObjectiveSums]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Population:
    """k proxies of a program's shape; every array has a leading axis of k.

    Attributes:
      program: of each; its batch is that of one proxy. The proxies are shared out over
        all devices of its mesh.
      seeds: of the parameters of each.

    Raises:
      UsageError: no seeds, or their number does not divide by that of the devices.
    """

    program: Program
    seeds: tuple[int, ...]

    def __post_init__(self):
        for seed in self.seeds:
            require_seed("a seed of the population", seed)
        devices = self.program.mesh.size
        if not self.seeds or len(self.seeds) % devices:
            raise UsageError(
                f"a population of {len(self.seeds)} does not divide by {devices} "
                f"devices; train {devices * max(1, -(-len(self.seeds) // devices))}, "
                "or use fewer devices."
            )

    @property
    def size(self) -> int:
        """k."""
        return len(self.seeds)

    def initial_state(self, seeds: Sequence[int] | None = None) -> TrainState:
        """The states before the first step, each as its seed alone makes it.

        Args:
          seeds: as many others; None for the population's own.
        """
        return self._fresh_states(np.array(seeds or self.seeds, np.int32))

    @functools.cached_property
    def _fresh_states(self) -> Callable[[np.ndarray], TrainState]:
        """Compiled once for every set of seeds."""

        def fresh(seeds: Array) -> TrainState:
            return jax.vmap(lambda s: self.program.fresh_state(jax.random.key(s)))(
                seeds
            )

        return jax.jit(fresh, out_shardings=self._members)

    def place(self, batches: Sequence[Batch]) -> Batch:
        """Places a batch for each proxy, as the train step reads them."""
        stacked = jax.tree.map(lambda *arrays: np.stack(arrays), *batches)
        return jax.tree.map(lambda x: jax.device_put(x, self._members), stacked)

    def compile_train_step(self) -> PopulationStep:
        """Compiles the step of all proxies. It consumes its states."""
        abstract = jax.eval_shape(self._states), self._batches()
        shares = jax.ShapeDtypeStruct((self.size, CAPACITY), "float32")
        # Without a mesh in context a model lays nothing out itself.
        step = jax.jit(
            jax.vmap(self.program.train_step_function()),
            donate_argnums=0,
            in_shardings=self._members,
            out_shardings=self._members,
        )
        lowered = step.lower(*abstract, shares)
        return lowered.compile(self.program.compiler_options)

    def compile_eval_step(self) -> PopulationEvalStep:
        """Compiles the evaluation of all proxies on one batch, the same for each."""
        whole = NamedSharding(self.program.mesh, PartitionSpec())
        step = jax.jit(
            jax.vmap(self.program.eval_step_function(), in_axes=(0, None)),
            in_shardings=(self._members, whole),
            out_shardings=self._members,
        )
        states = jax.eval_shape(self._states)
        lowered = step.lower(states.params, self.program.abstract_batch)
        return lowered.compile(self.program.compiler_options)

    def _states(self) -> TrainState:
        one = self.program.fresh_state()
        return jax.tree.map(lambda x: jnp.broadcast_to(x, (self.size, *x.shape)), one)

    def _batches(self) -> Batch:
        return jax.tree.map(
            lambda x: jax.ShapeDtypeStruct((self.size, *x.shape), x.dtype),
            self.program.abstract_batch,
        )

    @functools.cached_property
    def _members(self) -> NamedSharding:
        """The leading axis over every device."""
        return NamedSharding(self.program.mesh, PartitionSpec(MESH_AXES))


def member(tree: PyTree, n: int) -> PyTree:
    """One proxy's part of states, metrics or sums."""
    return jax.tree.map(lambda x: x[n], tree)
