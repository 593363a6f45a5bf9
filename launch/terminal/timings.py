"""Tables of what was timed: medians, spread, ratios."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from rich.table import Table

Rounds = Float[np.ndarray, " rounds"]

QUANTILES = (0.5, 0.1, 0.9)


def step_table(
    seconds: Mapping[str, Rounds],
    *,
    tokens: Mapping[str, float],
    shortest: float | None,
    reference: str,
) -> Table:
    """Median and spread of each kind of step, tokens per second, MFU, ratios to one.

    Args:
      seconds: of a step, by kind.
      tokens: filled slots of a step, by kind.
      shortest: seconds that a step takes at the devices' peak; None if not known.
      reference: the kind that others are compared with.
    """
    table = Table(
        title="Train step, one compiled program",
        caption="Steps in turns. Tokens: filled slots. Unpacked: one Example a row. "
        f"×: ratios to {reference}, of the same rounds.",
    )
    table.add_column("batches", overflow="fold")  # gives way, so that no figure does
    columns = ["ms", "10 %", "90 %", "k tokens/s", "time ×", "tokens/s ×"]
    for column in columns + (["MFU"] if shortest else []):
        table.add_column(column, justify="right", no_wrap=True)
    for name, values in seconds.items():
        figures = 1e3 * np.quantile(values, QUANTILES)
        # Per round: what slows the machine slows both.
        ratio = np.median(values / seconds[reference])
        speed = np.median(tokens[name] / values)
        faster = tokens[name] / tokens[reference] / ratio
        table.add_row(
            name,
            *(f"{x:.1f}" for x in figures),
            *(f"{speed / 1e3:,.1f}", f"{ratio:.3f}", f"{faster:.3f}"),
            *([f"{shortest / np.median(values):.1%}"] if shortest else []),
        )
    return table


def attention_table(speeds: Mapping[str, Rounds | str], *, reference: str) -> Table:
    """Median and spread of each implementation, and its time as a ratio to one.

    Args:
      speeds: seconds of a call in each round, by name; or why it does not run.
      reference: the name of what others are compared with.
    """
    table = Table(
        title="Attention of a layer, with gradients",
        caption="Calls in turns; random queries, keys and values, the intervals of "
        f"packed rows. ×: ratios to {reference}, of the same rounds.",
    )
    table.add_column("implementation", no_wrap=True)
    for column in ("ms", "10 %", "90 %", "time ×"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("does not run")
    base = speeds[reference]
    for name, values in speeds.items():
        if isinstance(values, str):
            table.add_row(name, "", "", "", "", values)
            continue
        figures = [f"{x:.2f}" for x in 1e3 * np.quantile(values, QUANTILES)]
        ratio = "" if isinstance(base, str) else f"{np.median(values / base):.3f}"
        table.add_row(name, *figures, ratio, "")
    return table


def population_table(seconds: Mapping[int, Rounds]) -> Table:
    """A step of proxies side by side, against as many steps of one.

    Args:
      seconds: of a step, by the number of proxies; 1 is the reference.
    """
    table = Table(
        title="Proxies side by side, one compiled program for each number",
        caption="A step of all of them, in turns; ratios are medians over rounds.",
    )
    for column in ("proxies", "ms", "10 %", "90 %", "time of one ×", "faster ×"):
        table.add_column(column, justify="right", no_wrap=True)
    for size, values in seconds.items():
        ratio = np.median(values / seconds[1])
        figures = 1e3 * np.quantile(values, QUANTILES)
        cells = (*(f"{x:.1f}" for x in figures), f"{ratio:.2f}", f"{size / ratio:.2f}")
        table.add_row(str(size), *cells)
    return table


def save_table(costs: Mapping[str, Rounds], *, period: int) -> Table:
    """What a checkpoint takes from the steps around it.

    Args:
      costs: `step`, `call`, `slower`, `committed`: seconds; `share` of an interval.
      period: steps between two checkpoints.
    """
    meaning = {
        "step": "a step",
        "call": "the steps are held up by a save",
        "slower": "the steps after it take longer",
        "committed": "until the checkpoint is on disk",
        "share": f"lost, of the time between saves ({period:,} steps)",
    }
    table = Table(title="Checkpoints", caption="Intervals with and without, in turns.")
    table.add_column("cost", no_wrap=True)
    for column in ("median", "10 %", "90 %"):
        table.add_column(column, justify="right")
    for name, values in costs.items():
        quantiles = np.quantile(values, QUANTILES)
        if name == "share":
            figures = [f"{x:.2%}" for x in quantiles]
        else:
            figures = [f"{1e3 * x:,.1f} ms" for x in quantiles]
        table.add_row(meaning[name], *figures)
    return table


def start_table(costs: Mapping[str, Mapping[str, Rounds]]) -> Table:
    """Seconds to the first step, for each kind of start, by phase.

    Args:
      costs: by kind of start and phase; the first kind is what others are compared
        with, and the first phase the whole.
    """
    table = Table(
        title="Start to first step, s",
        caption="Processes of their own, in turns; quantiles are of the whole.",
    )
    table.add_column("start", no_wrap=True)
    reference, phases = next(iter(costs.values())), next(iter(costs.values())).keys()
    whole, *parts = phases
    names = ("median", "10 %", "90 %", "ratio", *(p.replace("_", "-") for p in parts))
    for column in names:
        table.add_column(column, justify="right")
    for name, times in costs.items():
        figures = [f"{x:.1f}" for x in np.quantile(times[whole], QUANTILES)]
        figures.append(f"{np.median(times[whole] / reference[whole]):.2f}")
        figures += [f"{np.median(times[part]):.1f}" for part in parts]
        table.add_row(name, *figures)
    return table
