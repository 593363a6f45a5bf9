"""Charts of a run: losses, speed, and where its time went."""

import math
from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ....diagnosis.results.charts import INK, QUIET, svg
from ...runs.goodput import Summary
from .reading import RunStatus, Series

TRAIN, HELD_OUT = "#2e86c1", "#d55e00"

PARTS: Mapping[str, str] = {
    "compute": "#009e73",
    "compile": "#56b4e9",
    "data": "#cc79a7",
    "checkpoint": "#0072b2",
    "evaluation": "#f0e442",
    "restore": "#e69f00",
    "start_up": "#a65628",
    "lost": "#d55e00",
    "stopped": QUIET,
}
"""Colours of Okabe and Ito's colour-blind-safe palette, and one brown."""

COLUMNS = 3

MOST_POINTS = 400
"""Points of a line: more cannot be told apart, and make a large page."""


def loss_charts(run: RunStatus) -> str | None:
    """Loss of each objective over the steps; None without a value."""
    names = [name for name in dict.fromkeys((*run.train, *run.held_out)) if name]
    if not names:
        return None
    rows = math.ceil(len(names) / COLUMNS)
    figure = Figure(figsize=(9.6, 2.0 * rows + 0.5), layout="constrained")
    grid = figure.subplots(rows, COLUMNS, squeeze=False)
    for axes, name in zip(grid.flat, names, strict=False):
        _loss(axes, run, name)
    for axes in list(grid.flat)[len(names) :]:
        axes.remove()
    handles = [
        Axes.plot(grid.flat[0], [], [], color=TRAIN, label="training")[0],
        Axes.plot(grid.flat[0], [], [], "o-", color=HELD_OUT, label="held out")[0],
        Axes.plot(
            grid.flat[0], [], [], "--", color=QUIET, label="baseline: target entropy"
        )[0],
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=3, frameon=False)
    return _labelled(figure, "Loss of each objective over the steps")


def speed_chart(run: RunStatus) -> str | None:
    """Tokens a second over the steps; None without a value."""
    if not run.speed:
        return None
    figure = Figure(figsize=(9.6, 1.9), layout="constrained")
    axes = figure.subplots()
    axes.plot(*_points(run.speed), color=TRAIN, linewidth=1.4)
    axes.set_ylim(0, None)
    _plain(axes)
    axes.yaxis.set_major_formatter(FuncFormatter(_thousands))
    return _labelled(figure, "Tokens a second over the steps")


def time_chart(spent: Summary) -> str | None:
    """One bar: the parts of the wall time; None without any."""
    if spent.wall <= 0:
        return None
    figure = Figure(figsize=(9.6, 0.5), layout="constrained")
    axes = figure.subplots()
    left = 0.0
    for name, colour in PARTS.items():
        share = spent.seconds[name] / spent.wall
        axes.barh([0], [share], 0.9, [left], color=colour)
        if share > 0.08:
            text = axes.text(left + share / 2, 0, f"{share:.0%}", color="#111111")
            text.set(ha="center", va="center")
        left += share
    axes.set_xlim(0, 1)
    axes.set_axis_off()
    return _labelled(figure, "Where the wall time went")


def _loss(axes: Axes, run: RunStatus, name: str) -> None:
    train, held_out = run.train.get(name, []), run.held_out.get(name, [])
    if (baseline := run.baselines.get(name)) is not None:
        axes.axhline(baseline, color=QUIET, linestyle="--", linewidth=1)
    axes.plot(*_points(train), color=TRAIN, linewidth=1.2)
    axes.plot(*_points(held_out), "o-", color=HELD_OUT, linewidth=1.2, markersize=3.5)
    axes.set_title(name, fontsize=10, loc="left", color=INK)
    _plain(axes)


def _plain(axes: Axes) -> None:
    """No frame, a quiet grid, whole steps."""
    axes.spines[:].set_visible(False)
    axes.grid(color=QUIET, alpha=0.3, linewidth=0.6)
    axes.tick_params(length=0, labelsize=8, labelcolor=INK)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(_thousands))


def _thousands(value: float, _: object) -> str:
    return f"{value:,.0f}"


def _points(series: Series) -> tuple[list[int], list[float]]:
    """At most `MOST_POINTS` of a line: of each group of steps, the mean."""
    size = math.ceil(len(series) / MOST_POINTS)
    groups = [series[i : i + size] for i in range(0, len(series), size or 1)]
    steps = [group[-1][0] for group in groups]
    return steps, [math.fsum(v for _, v in group) / len(group) for group in groups]


def _labelled(figure: Figure, label: str) -> str:
    attributes = f'class="chart" role="img" aria-label="{label}"'
    return svg(figure).replace("<svg ", f"<svg {attributes} ", 1)
