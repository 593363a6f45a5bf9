"""The training runs of an arm: one a length, which share what their schedules share."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Float

from ...objectives.errors import UsageError
from .arms import Arm


class Run(NamedTuple):
    """One run of training.

    Attributes:
      arm: of which mixture, from where, on which schedule.
      seed: of parameters and data.
      length: tokens at its end.
      fork: tokens at which it leaves the longest run of its arm and seed, whose state
        it takes over; 0 if it begins as that does.
      kept: tokens at which its parameters are kept, ascending; the last is its end.
      forks: those of them at which another run goes on, whose whole state is kept.
    """

    arm: Arm
    seed: int
    length: int
    fork: int
    kept: tuple[int, ...]
    forks: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """Names its folder."""
        longest = self.length == self.arm.lengths[-1]
        name = f"{self.arm.name}-{self.seed}"
        return name if longest else f"{name}-at-{self.length}"

    @property
    def measured(self) -> tuple[int, ...]:
        """The kept points that are measured."""
        return tuple(n for n in self.kept if n in self.arm.measured)


def runs(arm: Arm, seed: int, *, batch_tokens: int) -> list[Run]:
    """The runs of an arm with one seed, the longest first.

    Args:
      arm: the arm.
      seed: of parameters and data.
      batch_tokens: slots of a batch.
    """
    *shorter, longest = arm.lengths
    forks = {n: shared_tokens(arm, n, batch_tokens=batch_tokens) for n in shorter}
    left = {n: fork for n, fork in forks.items() if fork < n}
    kept = {*arm.points, longest, *forks.values()} - {0}
    return [
        Run(
            arm,
            seed,
            longest,
            0,
            tuple(sorted(kept)),
            tuple(sorted(set(left.values()) - {0})),
        ),
        *(Run(arm, seed, n, fork, (n,)) for n, fork in left.items()),
    ]


def shared_tokens(arm: Arm, length: int, *, batch_tokens: int) -> int:
    """Tokens for which the learning rate of a length is that of the longest."""
    own = learning_rates(arm, length, batch_tokens=batch_tokens)
    longest = learning_rates(arm, arm.lengths[-1], batch_tokens=batch_tokens)
    differs = np.flatnonzero(own != longest[: len(own)])
    return min(length, int(differs[0]) * batch_tokens) if differs.size else length


def learning_rates(
    arm: Arm, length: int, *, batch_tokens: int
) -> Float[np.ndarray, " S"]:
    """The learning rate of each full batch of a run.

    A schedule counts batches as if all of their slots were filled, so that runs whose
    rows are filled differently have the same learning rate at the same tokens.

    Raises:
      UsageError: as of `schedule_of`.
    """
    steps, schedule = schedule_of(arm, length, batch_tokens=batch_tokens)
    return np.asarray(jax.vmap(schedule)(jnp.arange(steps)), np.float32)


def schedule_of(
    arm: Arm, length: int, *, batch_tokens: int
) -> tuple[int, optax.Schedule]:
    """The full batches of a run, and the learning rate by their number.

    Raises:
      UsageError: the schedule cannot be that short; the arm is before its message.
    """
    steps = -(-length // batch_tokens)
    try:
        return steps, arm.schedule(steps=steps)
    except UsageError as error:
        raise UsageError(f"arm {arm.name}, {length:,} tokens: {error}") from None
