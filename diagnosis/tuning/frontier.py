"""The predicted Pareto front: what the worst failure gains for what the loss gives."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from .optimum import near
from .predictor import Scores, Shares
from .threads import one_thread
from .worst import Judged, Worst

_ROUNDS = 3
_AROUND = 2000


class Front(NamedTuple):
    """Mixtures of which none has less own loss and a better worst failure.

    Attributes:
      shares: of each, in the order of their own loss.
      judged: what is predicted of them.
    """

    shares: Shares
    judged: Judged


@one_thread()
def front(
    worst: Worst, observed: Shares, drawn: Shares, judged: Judged, *, seed: int
) -> Front:
    """The front of blends, moved outwards by blends of its members with others.

    All of them are within reach of observed mixtures.

    Args:
      worst: judges mixtures.
      observed: different mixtures of the table.
      drawn: blends within reach of observed mixtures.
      judged: what is predicted of them.
      seed: of the moves.
    """
    rng = np.random.default_rng(seed)
    shares = drawn
    for _ in range(_ROUNDS):
        best = shares[undominated(judged.loss, judged.worst)]
        ends = rng.integers(len(best), size=_AROUND)
        others = drawn[rng.integers(len(drawn), size=_AROUND)]
        step = (0.3 * rng.random(_AROUND) ** 2)[:, None]
        moved = (1 - step) * best[ends] + step * others
        shares = np.concatenate([best, moved[near(moved, observed)]])
        judged = worst.judge(shares)
    chosen = undominated(judged.loss, judged.worst)
    return Front(shares[chosen], Judged(*(part[chosen] for part in judged)))


def undominated(loss: Scores, gain: Scores) -> Int64[np.ndarray, " m"]:
    """Indices of points with no other of less loss and more gain, by loss."""
    chosen, best = [], -np.inf
    for n in np.lexsort((-gain, loss)):
        if gain[n] > best:
            chosen.append(int(n))
            best = float(gain[n])
    return np.array(chosen)
