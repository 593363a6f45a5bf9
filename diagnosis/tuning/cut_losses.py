"""Own losses that are out of the question, cut.

A mixture without one of the incumbent's objectives may lose ten times the incumbent's
own loss, and every design has some. How far out it is says nothing of those that are
sought, but a few such rows would decide the error by which all predictions are bounded.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from ...objectives.errors import UsageError
from .table import MixtureTable, is_mixture

FAR = 2.0
"""Own losses are cut at so many times the largest that is allowed."""


class Cut(NamedTuple):
    """Where own losses are cut.

    Attributes:
      at: the largest that is left.
      rows: of the table, how many were larger.
    """

    at: float
    rows: int


def cut_at(
    table: MixtureTable,
    *,
    loss: str,
    incumbent: Float64[np.ndarray, " K"],
    most_loss: float,
) -> Cut:
    """Where to cut: `FAR` times the largest own loss that is allowed.

    Args:
      table: with rows of the incumbent.
      loss: its column of own losses.
      incumbent: its shares.
      most_loss: own loss that may be lost, .02 for 2 %.

    Raises:
      UsageError: the incumbent's own loss is 0, of which there is no share.
    """
    losses = table.scores[:, table.targets.index(loss)]
    base = float(losses[is_mixture(table.shares, incumbent)].mean())
    if base == 0:
        raise UsageError(
            f"the mean {loss} of the incumbent's runs is 0, so that no share of it can "
            "be lost; name another column with --loss, or correct the table."
        )
    at = base + (FAR * (1 + most_loss) - 1) * abs(base)
    return Cut(at, larger(table, loss=loss, at=at))


def larger(table: MixtureTable, *, loss: str, at: float) -> int:
    """How many rows have larger own losses."""
    return int((table.scores[:, table.targets.index(loss)] > at).sum())


def cut_losses(table: MixtureTable, *, loss: str, at: float) -> MixtureTable:
    """The table with its own losses cut."""
    scores = table.scores.copy()
    column = table.targets.index(loss)
    scores[:, column] = np.minimum(scores[:, column], at)
    return table._replace(scores=scores)
