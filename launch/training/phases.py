"""The mixture in force at each update."""

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
