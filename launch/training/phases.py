"""The mixture in force at each update, and what never is."""

import bisect
from collections.abc import Callable

import numpy as np

from ...tasks.examples.mixture import Mixture


def loss_shares_by_update(mixture: Mixture) -> Callable[[int], np.ndarray]:
    """Loss shares of each objective by update, counted from 0; cheap to ask.

    The compiled step takes them as an argument, so that no change compiles anything.
    """
    phases = mixture.phases()
    firsts = sorted(phases)
    shares = [phases[first].loss_share_array() for first in firsts]
    return lambda update: shares[bisect.bisect(firsts, update) - 1]


def never_begins(mixture: Mixture, *, steps: int) -> list[str]:
    """A line if changes of the mixture's schedule come after the last step."""
    late = [first for first in mixture.phases() if first >= steps]
    if not late:
        return []
    changes = ", ".join(map(str, late))
    return [
        f"Mixture.schedule: its changes at step {changes} never begin, as train.steps "
        f"is {steps}."
    ]
