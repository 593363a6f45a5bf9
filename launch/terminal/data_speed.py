"""How fast ways to make or read data are, as a table."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from rich.table import Table


class Speed(NamedTuple):
    """Tokens per second of one way, in each round.

    Attributes:
      wall: per second of the clock.
      cpu: per second of CPU time, of all processes that it takes.
    """

    wall: Float[np.ndarray, " rounds"]
    cpu: Float[np.ndarray, " rounds"]


def speed_table(speeds: Mapping[str, Speed], *, reference: str | None) -> Table:
    """Medians and spread of each way, and its ratios to one of them.

    Args:
      speeds: by name.
      reference: the name of what others are compared with; None for nothing.
    """
    table = Table(
        title="Data: thousand tokens per second",
        caption="spans: span corruption. Filled slots, per second of the clock (wall: "
        "median, and quantiles of the rounds) and of CPU time, of all processes. "
        "Rounds in turns; text that was tokenised before.",
    )
    table.add_column("data", no_wrap=True)
    columns = ["wall", "10 %", "90 %", "CPU"]
    if reference:
        columns += ["ratio", "CPU ratio"]
    for column in columns:
        table.add_column(column, justify="right")
    for name, speed in speeds.items():
        quantiles = np.quantile(speed.wall, [0.5, 0.1, 0.9])
        figures = [f"{x / 1e3:,.0f}" for x in (*quantiles, np.median(speed.cpu))]
        if reference:
            other = speeds[reference]
            # Per round: what slows the machine slows both.
            figures.append(f"{np.median(speed.wall / other.wall):.2f}")
            figures.append(f"{np.median(speed.cpu / other.cpu):.2f}")
        table.add_row(name, *figures)
    return table


def wait_table(waits: Mapping[str, Float[np.ndarray, " records"]]) -> Table:
    """Medians and spread of the share of the steps' time that waits for data.

    Args:
      waits: shares in each record of a run, by where its data comes from.
    """
    table = Table(
        title="Data wait",
        caption="Share of the time of a step that waits for its batch, in short runs "
        "(median, and quantiles of a few steps each).",
    )
    table.add_column("data", no_wrap=True)
    for column in ("median", "10 %", "90 %"):
        table.add_column(column, justify="right")
    for name, shares in waits.items():
        quantiles = np.quantile(shares, [0.5, 0.1, 0.9])
        table.add_row(name, *(f"{share:.2%}" for share in quantiles))
    return table
