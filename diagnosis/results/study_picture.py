"""Scores over budget, a curve a mix: one panel for each failure, as SVG."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..scores.score import FAILURES
from .charts import INK, QUIET, svg_file
from .effects import Effect
from .records import Record
from .study_summary import Measure, by_budget
from .study_table import MEASURES

# Okabe & Ito (2008): told apart by readers with any colour vision.
COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#8C6D1F",
    "#7F7F7F",
)
DASHES = ("-", "--", ":")


class Curve(NamedTuple):
    """A mix over budgets: millions of tokens, and what it had come to by then."""

    mix: str
    tokens: list[float]
    effects: list[Effect]


def curves(
    records: Sequence[Record], *, incumbent: str, best: Collection[str] = ()
) -> str:
    """An SVG page: of each failure the first of `MEASURES`, with intervals.

    Intervals are drawn for the incumbent, in ink, and for the best mixes; all of them
    are in the table.

    Args:
      records: of all runs.
      incumbent: the mix that others are compared with.
      best: mixes to be drawn like it.
    """
    # The best ones first, for the first colours are the plainest.
    mixes = list(dict.fromkeys([*best, *(record.mix for record in records)]))
    others = [mix for mix in mixes if mix != incumbent]
    styles = {incumbent: (INK, "-")} | {
        mix: (COLOURS[n % len(COLOURS)], DASHES[n // len(COLOURS) % len(DASHES)])
        for n, mix in enumerate(others)
    }
    chart = Figure(figsize=(12, 3.8), layout="constrained")
    panels = chart.subplots(1, len(FAILURES), squeeze=False)[0]
    for panel, failure in zip(panels, FAILURES, strict=True):
        measure = next(m for m in MEASURES if m.failure == failure)
        drawn = [_curve(records, mix, measure) for mix in mixes]
        shown = [curve for curve in drawn if curve.effects]
        _panel(panel, measure, shown, styles, banded={incumbent, *best})
    lines = {}
    for panel in panels:
        for line in panel.get_legend_handles_labels()[0]:
            lines.setdefault(line.get_label(), line)
    if lines:
        chart.legend(
            handles=list(lines.values()),
            loc="outside right upper",
            frameon=False,
            labelcolor=INK,
            fontsize=9,
        )
    return svg_file(chart, title="Scores over budget")


def _curve(records: Sequence[Record], mix: str, measure: Measure) -> Curve:
    curve = Curve(mix, [], [])
    for runs in by_budget(records, mix):
        effect = measure.effect(runs)
        if effect is not None:
            curve.tokens.append(float(np.mean([r.tokens for r in runs])) / 1e6)
            curve.effects.append(effect)
    return curve


def _panel(
    panel: Axes,
    measure: Measure,
    shown: Sequence[Curve],
    styles: dict[str, tuple[str, str]],
    *,
    banded: Collection[str],
) -> None:
    """Draws the curves of one failure, and the chance level where there is one."""
    for curve in shown:
        colour, dash = styles[curve.mix]
        marked = curve.mix in banded
        panel.plot(
            curve.tokens,
            [point.value for point in curve.effects],
            color=colour,
            linestyle=dash,
            linewidth=2.5 if marked else 1.2,
            marker="o",
            markersize=4 if marked else 2,
            label=curve.mix,
        )
        if marked:
            low = [point.low for point in curve.effects]
            high = [point.high for point in curve.effects]
            panel.fill_between(
                curve.tokens, low, high, color=colour, alpha=0.13, linewidth=0
            )
    first = shown[0].effects[0] if shown else None
    if first and first.chance is not None:
        panel.axhline(first.chance, color=QUIET, linestyle=":", linewidth=1.2)
        panel.annotate(
            "chance",
            (0.01, first.chance),
            xycoords=("axes fraction", "data"),
            xytext=(0, 2),
            textcoords="offset points",
            color=QUIET,
            fontsize=8,
        )
    title = f"{measure.failure}\n{measure.probe}: {measure.metric}"
    panel.set_title(title, color=INK, fontsize=11)
    better = first.better if first else "higher"
    panel.set_ylabel(f"{better} is better", color=INK, fontsize=9)
    panel.set_xlabel("million processed tokens", color=INK, fontsize=9)
    panel.tick_params(colors=INK, labelsize=9)
    panel.grid(color=QUIET, alpha=0.25, linewidth=0.6)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[:].set_color(QUIET)
