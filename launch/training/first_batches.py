"""What the first batches of a run hold, shown before its first step."""

import functools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from rich.table import Table

from ...models.rows import Batch
from ...tasks.shares.counts import add, loss_shares_of, utilisation
from ..terminal.log import RunLog
from .interval import over_hosts
from .program import Program
from .report import share_table


def show_shares(
    log: RunLog,
    program: Program,
    batches: Sequence[Batch],
    shares: Float[np.ndarray, " O"],
) -> Table:
    """Prints the shares of the first batches, of all hosts, and returns their table.

    Args:
      log: of the run.
      program: that trains on the batches.
      batches: of this host.
      shares: of the loss, by objective.
    """
    counts = over_hosts(functools.reduce(add, map(program.counts, batches)))
    in_loss = loss_shares_of(counts, shares, normalisation=program.normalisation)
    table = share_table(counts, in_loss, utilisation=utilisation(batches))
    log.console.print(table)
    return table
