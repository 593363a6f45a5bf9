"""Names of topologies, as `--topology` takes them. Imports no JAX."""

import itertools
import math
import re
from typing import NamedTuple

from ....objectives.errors import UsageError, nearest, require_count
from .generations import GENERATIONS, Generation

SMALL_3D = {4: (2, 2, 1), 8: (2, 2, 2), 16: (2, 2, 4), 32: (2, 4, 4)}
"""Slices of less than one cube of 4 × 4 × 4 chips."""

SMALL_2D = {1: (1, 1), 4: (2, 2), 8: (2, 4)}


class Slices(NamedTuple):
    """Slices of TPUs of one kind, all alike.

    Attributes:
      generation: of the chips.
      edges: chips along each dimension of a slice.
      slices: their number.
    """

    generation: Generation
    edges: tuple[int, ...]
    slices: int

    @property
    def chips(self) -> int:
        """Of all slices."""
        return math.prod(self.edges) * self.slices

    @property
    def wrap(self) -> tuple[bool, ...]:
        """Whether each dimension closes to a ring."""
        at = self.generation.wraps_at
        rings = [edge % at == 0 for edge in self.edges]
        if self.generation.dimensions == 3 and not all(rings):
            return (False,) * 3  # optical switches join whole cubes only
        return tuple(rings)

    @property
    def name(self) -> str:
        """ "2 × v5p-128 (4×4×4)"."""
        chips = math.prod(self.edges)
        count = chips * (self.generation.cores if self.generation.counts_cores else 1)
        edges = "×".join(map(str, self.edges))
        times = f"{self.slices} × " if self.slices > 1 else ""
        return f"{times}{self.generation.name}-{count} ({edges})"


class Emulated(NamedTuple):
    """CPU devices of this process: `cpu-8`."""

    devices: int


class Here(NamedTuple):
    """The devices that JAX finds: `here`."""


def topology(name: str, *, slices: int = 1) -> Slices | Emulated | Here:
    """Reads the name of a topology.

    Args:
      name: `v5p-128` (as Cloud TPU counts: cores of v4 and v5p, chips of v5e and
        v6e), `v5p:4x4x8` (chips along each dimension), `cpu-8`, or `here`.
      slices: TPU slices that the data-centre network joins.

    Raises:
      UsageError: there is no such topology; the message names the nearest.
    """
    require_count("--slices", slices, most=1024)
    if name == "here":
        return _alone(Here(), name, slices)
    if match := re.fullmatch(r"cpu-(\d+)", name):
        require_count("the number of --topology=cpu-N", int(match[1]), most=4096)
        return _alone(Emulated(int(match[1])), name, slices)
    match = re.fullmatch(r"(\w+)(?:-(\d+)|:(\d+(?:x\d+){1,2}))", name)
    if match is None:
        raise UsageError(
            f"--topology is {name!r}; write GENERATION-NUMBER (v5p-128, v5e-64), "
            "GENERATION:EDGES (v5p:4x4x8), cpu-NUMBER, or here."
        )
    if match[1] not in GENERATIONS:
        raise UsageError(
            f"--topology={name}: no TPU {match[1]!r}; {nearest(match[1], GENERATIONS)}"
        )
    generation = GENERATIONS[match[1]]
    if match[3]:
        return Slices(generation, _checked_edges(generation, match[3], name), slices)
    return Slices(generation, _edges(generation, int(match[2]), name), slices)


def _alone(found: Emulated | Here, name: str, slices: int) -> Emulated | Here:
    if slices > 1:
        raise UsageError(
            f"--slices={slices} joins TPU slices, and --topology={name} has none; "
            "leave it out."
        )
    return found


def _edges(generation: Generation, number: int, name: str) -> tuple[int, ...]:
    """The usual shape of a slice: the most compact one."""
    unit = generation.cores if generation.counts_cores else 1
    valid = {math.prod(e) * unit: e for e in reversed(shapes(generation))}
    if number in valid:
        return valid[number]
    below = max((n for n in valid if n < number), default=None)
    above = min((n for n in valid if n > number), default=None)
    near = " or ".join(f"{generation.name}-{n}" for n in (below, above) if n)
    kind = "cores" if generation.counts_cores else "chips"
    raise UsageError(
        f"--topology={name}: no {generation.name} slice has {number} {kind}; take "
        f"{near}, or join several with --slices."
    )


def _checked_edges(generation: Generation, text: str, name: str) -> tuple[int, ...]:
    edges = tuple(sorted(map(int, text.split("x"))))
    if edges in {tuple(sorted(shape)) for shape in shapes(generation)}:
        return tuple(int(edge) for edge in text.split("x"))
    listed = ["x".join(map(str, shape)) for shape in shapes(generation)]
    raise UsageError(
        f"--topology={name}: no {generation.name} slice has these edges; "
        f"{nearest(text, listed)}"
    )


def shapes(generation: Generation) -> list[tuple[int, ...]]:
    """The shapes of slices, of equal sizes the most compact first."""
    if generation.dimensions == 2:
        most = generation.largest[0]
        powers = [2**n for n in range(2, most.bit_length())]
        squares = [(edge, edge) for edge in powers]
        oblong = [(edge, 2 * edge) for edge in powers if 2 * edge <= most]
        return [*SMALL_2D.values(), *sorted(squares + oblong)]
    cubes = range(4, max(generation.largest) + 1, 4)
    large = [
        shape
        for shape in itertools.combinations_with_replacement(cubes, 3)
        if all(a <= b for a, b in zip(shape, sorted(generation.largest), strict=True))
    ]
    return [*SMALL_3D.values(), *sorted(large, key=lambda e: (math.prod(e), sum(e)))]
