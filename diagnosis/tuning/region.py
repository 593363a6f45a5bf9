"""Where mixtures are drawn: between a least and a most share of each component."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from ...objectives.errors import UsageError, nearest

DECIMALS = 4
"""Of shares, which sum to 1 as they are written."""

SWEEPS = 20
"""Exchanges between one draw and the next, for each component."""

Shares = Float64[np.ndarray, " K"]


class Region(NamedTuple):
    """Mixtures whose shares lie between two bounds each, these included.

    Attributes:
      low: the least share of each component.
      high: the most.
    """

    low: Shares
    high: Shares

    def holds(self, shares: Shares) -> bool:
        """Whether a mixture is inside, but for what rounding of floats leaves."""
        inside = (shares >= self.low - 1e-9) & (shares <= self.high + 1e-9)
        return bool(inside.all())

    def draws(self, rng: np.random.Generator) -> Iterator[Shares]:
        """Mixtures drawn uniformly, without end, each `SWEEPS` from the one before.

        Two components at a time exchange a uniform part of what both bounds allow:
        Gibbs sampling, which refuses no draw, however narrow the bounds are.
        """
        size = len(self.low)
        width = self.high - self.low
        spare = min(1 - self.low.sum(), width.sum())
        # Bounds of one mixture leave nothing to give.
        start = self.low + (width * spare / width.sum() if spare > 0 else 0.0)
        low, high, here = self.low.tolist(), self.high.tolist(), start.tolist()
        while True:
            ones = rng.integers(size, size=SWEEPS * size)
            others = (ones + rng.integers(1, size, size=len(ones))) % size
            parts = rng.random(len(ones))
            for one, other, part in zip(ones, others, parts, strict=True):
                both = here[one] + here[other]
                least = max(low[one], both - high[other])
                most = min(high[one], both - low[other])
                here[one] = least + part * max(0.0, most - least)
                here[other] = both - here[one]
            yield np.array(here)


def region(
    components: Sequence[str], between: Mapping[str, tuple[float, float]]
) -> Region:
    """The region of these bounds; a component without any may have any share.

    Args:
      components: names.
      between: the least and the most share, by component.

    Raises:
      UsageError: bounds of no component, not within 0 and 1, in the wrong order, or
        of more decimals than shares are written with; or no mixture is between them.
    """
    for name, (low, high) in between.items():
        if name not in components:
            raise UsageError(
                f"--between bounds {name!r}, which is none of --components; "
                + nearest(name, components)
            )
        if not 0 <= low <= high <= 1:
            raise UsageError(
                f"--between={name}:{low:g}:{high:g} is no range of shares; give the "
                "least and the most, from 0 to 1."
            )
        if (low, high) != (round(low, DECIMALS), round(high, DECIMALS)):
            raise UsageError(
                f"--between={name}:{low!r}:{high!r} has more than the {DECIMALS} "
                "decimals that shares are written with; round it."
            )
    bounds = [between.get(name, (0.0, 1.0)) for name in components]
    low, high = np.array(bounds, np.float64).T
    if not low.sum() <= 1 + 1e-9 <= high.sum() + 2e-9:
        raise UsageError(
            f"no mixture is within --between: the least shares sum to {low.sum():g} "
            f"and the most to {high.sum():g}, and 1 has to be between them."
        )
    return Region(low, high)
