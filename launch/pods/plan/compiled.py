"""What the compiler made of a train step, or why it refused."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Memory:
    """Bytes of a device, by the compiler's buffer assignment.

    Attributes:
      arguments: state and batch.
      outputs: state and metrics.
      aliased: of the outputs, those that lie where an argument lay.
      temporaries: activations, gathered parameters, gradients: the block that is
        assigned to them, fragmentation included.
      code: of the program.
      reported: of temporaries, what `memory_analysis()` says. On TPUs it counts more
        than is assigned: what lies where an argument lay, and fragmentation twice.
    """

    arguments: int
    outputs: int
    aliased: int
    temporaries: int
    code: int
    reported: int

    @property
    def peak(self) -> int:
        """What a step needs: the compiler accepts or refuses a program by it."""
        return self._without_temporaries + self.temporaries

    @property
    def at_most(self) -> int:
        """The same by what `memory_analysis()` reports."""
        return self._without_temporaries + self.reported

    @property
    def _without_temporaries(self) -> int:
        return self.arguments + self.outputs - self.aliased + self.code


@dataclasses.dataclass(frozen=True)
class Array:
    """A large array of a program: bytes, printed type, and where it comes from."""

    bytes: int
    shape: str
    operator: str


@dataclasses.dataclass(frozen=True)
class Refusal:
    """A program that the compiler refuses: it needs more memory than there is.

    Attributes:
      needed: bytes, rounded as the compiler prints them.
      capacity: bytes.
      message: the compiler's, its first line.
      largest: arrays that the compiler lists, the largest first.
      at_least: whether the compiler stopped at an array, or at a program without its
        arguments, that is too large by itself.
    """

    needed: int
    capacity: int
    message: str
    largest: tuple[Array, ...] = ()
    at_least: bool = False


@dataclasses.dataclass(frozen=True)
class Compiled:
    """What the compiler made of a train step.

    Attributes:
      hlo: the program as text; empty if it was refused.
      memory: None if it was refused.
      refusal: None if it was not.
      log: what the compiler printed.
      seconds: that it took.
      cached: whether an earlier run of the planner compiled it.
    """

    hlo: str
    memory: Memory | None
    refusal: Refusal | None
    log: str
    seconds: float
    cached: bool = False
