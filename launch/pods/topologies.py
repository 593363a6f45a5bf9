"""Slices of TPUs: what a name such as `v5p-128` means, on Google Cloud and in GKE."""

import itertools
import math
import re
from typing import NamedTuple

from ...objectives.errors import UsageError, nearest


class Generation(NamedTuple):
    """One generation of TPUs.

    Sources: https://cloud.google.com/tpu/docs/system-architecture-tpu-vm and
    https://cloud.google.com/kubernetes-engine/docs/concepts/plan-tpus.

    Attributes:
      name: in `--topology`.
      dimensions: of the torus.
      counts: what the number of an accelerator type counts: TensorCores or chips.
      accelerator_type: what comes before that number in `gcloud`.
      gke_accelerator: the node label `cloud.google.com/gke-tpu-accelerator`.
      runtime: image of a TPU VM.
      chips: most in one slice.
      peak_flops: of a chip, in bfloat16, a second.
    """

    name: str
    dimensions: int
    counts: str
    accelerator_type: str
    gke_accelerator: str
    runtime: str
    chips: int
    peak_flops: float


GENERATIONS = {
    generation.name: generation
    for generation in (
        Generation(
            *("v4", 3, "cores", "v4"),
            *("tpu-v4-podslice", "tpu-ubuntu2204-base", 4096, 275e12),
        ),
        Generation(
            *("v5e", 2, "chips", "v5litepod"),
            *("tpu-v5-lite-podslice", "v2-alpha-tpuv5-lite", 256, 197e12),
        ),
        Generation(
            *("v5p", 3, "cores", "v5p"),
            *("tpu-v5p-slice", "v2-alpha-tpuv5", 6144, 459e12),
        ),
        Generation(
            *("v6e", 2, "chips", "v6e"),
            *("tpu-v6e-slice", "v2-alpha-tpuv6e", 256, 918e12),
        ),
    )
}

CHIPS_PER_HOST = 4
"""In every slice of more than one host, and in 3-D slices."""

_FLAT = {1: (1, 1), 4: (2, 2), 8: (2, 4), 16: (4, 4), 32: (4, 8), 64: (8, 8)}
_FLAT |= {128: (8, 16), 256: (16, 16)}
"""The slices of a 2-D generation by chips."""

_DEEP = {4: (2, 2, 1), 8: (2, 2, 2), 16: (2, 2, 4), 32: (2, 4, 4)}
"""The slices below a cube of 64 chips; those above are made of such cubes."""


class Slice(NamedTuple):
    """Chips that one fast network joins.

    Attributes:
      generation: of its chips.
      bounds: chips along each dimension.
    """

    generation: Generation
    bounds: tuple[int, ...]

    @property
    def chips(self) -> int:
        """The number of chips; jax sees each as one device."""
        return math.prod(self.bounds)

    @property
    def chips_per_host(self) -> int:
        """The chips of each of its machines."""
        return min(self.chips, CHIPS_PER_HOST)

    @property
    def hosts(self) -> int:
        """The number of machines."""
        return self.chips // self.chips_per_host

    @property
    def topology(self) -> str:
        """`4x4x8`."""
        return "x".join(map(str, self.bounds))

    @property
    def accelerator_type(self) -> str:
        """`v5p-128`, as Google Cloud counts: TensorCores, of v5e and v6e chips."""
        number = self.chips * (2 if self.generation.counts == "cores" else 1)
        return f"{self.generation.accelerator_type}-{number}"


def slice_of(name: str) -> Slice:
    """The slice that `--topology` names.

    Args:
      name: an accelerator type (`v5p-128`, `v5e-64`, `v5litepod-64`) or a generation
        with bounds (`v5p-4x4x4`).

    Raises:
      UsageError: there is no such slice; the message says what there is.
    """
    match = re.fullmatch(r"(v\w+?)[-:](\d+(?:x\d+)*)", name)
    if match is None:
        raise UsageError(
            f"--topology={name} is no slice of TPUs; write an accelerator type, as in "
            "v5p-128, v5e-64 or v6e-256, or bounds, as in v5p-4x4x4."
        )
    alias = {g.accelerator_type: g for g in GENERATIONS.values()} | GENERATIONS
    if match[1] not in alias:
        raise UsageError(
            f"--topology={name}: no generation {match[1]!r}; "
            + nearest(match[1], GENERATIONS)
        )
    generation, size = alias[match[1]], match[2]
    if "x" in size:
        return _bounded(generation, tuple(map(int, size.split("x"))), name)
    number = int(size)
    chips = number / 2 if generation.counts == "cores" else number
    bounds = _bounds(generation, int(chips)) if chips == int(chips) else None
    if bounds is None:
        raise UsageError(
            f"--topology={name}: no {generation.name} slice has {chips:g} chips "
            f"({generation.accelerator_type}-{number} counts {generation.counts}); "
            f"there are {', '.join(_sizes(generation))}."
        )
    return Slice(generation, bounds)


def _bounded(generation: Generation, bounds: tuple[int, ...], name: str) -> Slice:
    """A slice of given bounds."""
    flat, few = generation.dimensions == 2, math.prod(bounds) < 64
    if flat:
        valid = bounds in _FLAT.values()
    elif few:
        valid = bounds in _DEEP.values()
    else:
        ascending = tuple(sorted(bounds)) == bounds
        valid = len(bounds) == 3 and ascending and not any(b % 4 for b in bounds)
    if not valid or math.prod(bounds) > generation.chips:
        raise UsageError(
            f"--topology={name}: {generation.name} has no slice of these bounds; "
            f"there are {', '.join(_sizes(generation, bounds=True))}."
        )
    return Slice(generation, bounds)


def _bounds(generation: Generation, chips: int) -> tuple[int, ...] | None:
    """The default bounds of so many chips; None if there is no such slice."""
    if chips > generation.chips:
        return None
    if generation.dimensions == 2:
        return _FLAT.get(chips)
    if chips < 64:
        return _DEEP.get(chips)
    cubes, rest = divmod(chips, 64)
    return None if rest else _cube_bounds(cubes)


def _cube_bounds(cubes: int) -> tuple[int, ...]:
    """The bounds of cubes of 4 × 4 × 4, as near to a cube as they go."""
    divisors = [d for d in range(1, cubes + 1) if cubes % d == 0]
    shapes = (
        (a, b, cubes // (a * b))
        for a, b in itertools.combinations_with_replacement(divisors, 2)
        if cubes % (a * b) == 0 and b <= cubes // (a * b)
    )
    best = min(shapes, key=lambda shape: (max(shape), sum(shape)))
    return tuple(4 * size for size in best)


def _sizes(generation: Generation, *, bounds: bool = False) -> list[str]:
    """Names of a generation's common slices."""
    small = _FLAT.values() if generation.dimensions == 2 else _DEEP.values()
    shapes = list(small)
    if generation.dimensions == 3:
        shapes += [_cube_bounds(cubes) for cubes in (1, 2, 4, 8, 16, 32)]
    slices = [Slice(generation, shape) for shape in shapes]
    if bounds:
        return [f"{generation.name}-{one.topology}" for one in slices]
    return [one.accelerator_type for one in slices]
