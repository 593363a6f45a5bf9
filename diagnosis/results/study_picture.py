"""Scores over budget as SVG: a panel for each failure, a curve for each mix."""

import functools
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import published_table
from .charts import INK, QUIET, svg_file
from .effects import Effect, Effects
from .measures import Measure, primary
from .records import Record
from .study_summary import by_budget
from .study_table import judged

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
_CHANCE_LINE: dict[str, Any] = {"color": QUIET, "linestyle": ":", "linewidth": 1.2}


def curves(
    records: Sequence[Record], *, incumbent: str, best: Collection[str] = ()
) -> str:
    """An SVG file with the `primary` measure of each failure, and published tests.

    Intervals are drawn for the incumbent and for the best mixes only; the table has
    all of them. Where every mix was measured at one budget there is no curve: each is
    a point with its interval.

    Args:
      records: of all runs.
      incumbent: the mix that others are compared with.
      best: mixes drawn as prominently.
    """
    # The best mixes come first and get the most distinct colours.
    mixes = list(dict.fromkeys([*best, *(record.mix for record in records)]))
    others = itertools.cycle(itertools.product(DASHES, COLOURS))
    styles = {mix: ("-", INK) if mix == incumbent else next(others) for mix in mixes}
    chart = Figure(figsize=(12, 3.8), layout="constrained")
    combined = _combined(records)
    panels = _panels(chart, list(combined))
    budgets = {mix: by_budget(records, mix) for mix in mixes}
    if all(len(each) == 1 for each in budgets.values()):
        for title, panel in panels.items():
            found = {
                mix: effect
                for mix, (runs,) in budgets.items()
                if (effect := combined[title](runs))
            }
            _draw_points(panel, title, found, {m: styles[m][1] for m in found})
        return svg_file(chart, title="Scores")
    for title, panel in panels.items():
        effects = []
        for mix, style in styles.items():
            curve = [
                (float(np.mean([record.tokens for record in runs])) / 1e6, effect)
                for runs in budgets[mix]
                if (effect := combined[title](runs))
            ]
            if curve:
                _draw(panel, mix, curve, *style, marked=mix in (incumbent, *best))
            effects += [effect for _, effect in curve]
        _label(panel, title, effects[0] if effects else None)
    _legend(chart)
    return svg_file(chart, title="Scores over budget")


def curves_over_size(studies: Sequence[Effects], *, mixes: Sequence[str]) -> str:
    """An SVG file with the `primary` measure of each failure over the model's size.

    Args:
      studies: of several sizes and budgets; a curve for each mix and budget, as a share
        of the original tokens, and at the largest with its intervals. Those from
        scratch are left out.
      mixes: to draw, the incumbent first.
    """
    shares: dict[int, list[Effects]] = {}
    for study in studies:
        original = study.setup.original_tokens
        if original:
            shares.setdefault(round(100 * study.tokens / original), []).append(study)
    chart = Figure(figsize=(12, 3.8), layout="constrained")
    shown = list(dict.fromkeys(f for study in studies for f in judged(study)))
    panels = _panels(chart, shown)
    for failure, panel in panels.items():
        measure, effects = primary()[failure], []
        for (share, sizes), dash in zip(
            sorted(shares.items()), itertools.cycle((*DASHES, "-."))
        ):
            for mix, colour in zip(mixes, (INK, *COLOURS), strict=False):
                curve = [
                    (study.setup.parameters / 1e6, effect)
                    for study in sorted(sizes, key=lambda s: s.setup.parameters)
                    if mix in study.mixes and (effect := measure.of(study.mixes[mix]))
                ]
                if curve:
                    name = f"{mix}, {share} %"
                    most = share == max(shares)
                    _draw(panel, name, curve, dash, colour, marked=most)
                effects += [effect for _, effect in curve]
        _label(panel, _title(measure), effects[0] if effects else None)
        panel.set_xlabel("million parameters", color=INK, fontsize=9)
        panel.set_xscale("log")
        parameters = sorted({study.setup.parameters / 1e6 for study in studies})
        panel.set_xticks(parameters, [f"{count:.2g}" for count in parameters])
        panel.minorticks_off()
    _legend(chart, handlelength=3.2)  # long enough to tell the dashes of a budget
    return svg_file(chart, title="Scores over size")


_Combine = Callable[[Sequence[Record]], Effect | None]
"""Combines runs of one mix at one budget."""


def _combined(records: Sequence[Record]) -> dict[str, _Combine]:
    """By the title of its panel, each score that was measured; all if none was."""
    failures = {_title(measure): measure.effect for measure in primary().values()}
    published = {
        column.replace(", ", "\nasked in mode ", 1): functools.partial(
            published_table.effect, column
        )
        for column in published_table.measured(records)
    }
    shown: dict[str, _Combine] = {
        title: combine
        for title, combine in (failures | published).items()
        if any(combine([record]) for record in records)
    }
    return shown or dict(failures)


def _title(measure: Measure) -> str:
    return f"{measure.failure}\n{measure.probe}: {measure.metric}"


def _panels(chart: Figure, names: Sequence[str]) -> dict[str, Axes]:
    """A panel for each name, side by side."""
    axes = chart.subplots(1, len(names), squeeze=False)[0]
    return dict(zip(names, axes, strict=True))


def _legend(chart: Figure, *, handlelength: float = 2.0) -> None:
    """One legend for all panels, each label once.

    Args:
      chart: with its panels.
      handlelength: of the lines beside the labels, in font sizes.
    """
    lines = {}
    for panel in chart.axes:
        for line in panel.get_legend_handles_labels()[0]:
            lines.setdefault(line.get_label(), line)
    if lines:
        chart.legend(
            handles=list(lines.values()),
            loc="outside right upper",
            frameon=False,
            labelcolor=INK,
            fontsize=9,
            handlelength=handlelength,
        )


def _draw(
    panel: Axes,
    mix: str,
    curve: Sequence[tuple[float, Effect]],
    dash: str,
    colour: str,
    *,
    marked: bool,
) -> None:
    """Draws a mix over millions of tokens, with intervals if it is marked."""
    tokens = [count for count, _ in curve]
    panel.plot(
        tokens,
        [effect.value for _, effect in curve],
        color=colour,
        linestyle=dash,
        linewidth=2.5 if marked else 1.2,
        marker="o",
        markersize=4 if marked else 2,
        label=mix,
    )
    if marked:
        low = [effect.low for _, effect in curve]
        high = [effect.high for _, effect in curve]
        panel.fill_between(tokens, low, high, color=colour, alpha=0.13, linewidth=0)


def _draw_points(
    panel: Axes, title: str, effects: Mapping[str, Effect], colours: Mapping[str, str]
) -> None:
    """Draws each mix as a point with its interval, the first at the top."""
    for place, (mix, effect) in enumerate(effects.items()):
        panel.errorbar(
            effect.value,
            place,
            # An interval need not hold the mean: equal scores, rounded.
            xerr=[
                [max(0.0, effect.value - effect.low)],
                [max(0.0, effect.high - effect.value)],
            ],
            color=colours[mix],
            marker="o",
            markersize=5,
            linewidth=1.6,
            capsize=3,
        )
    first = next(iter(effects.values()), None)
    if first and first.chance is not None:
        panel.axvline(first.chance, **_CHANCE_LINE)
        place = (first.chance, 0.01)
        _write_chance(panel, place, ("data", "axes fraction"), right=3)
    panel.set_yticks(range(len(effects)), list(effects))
    panel.set_ylim(len(effects) - 0.4, -0.6)
    better = first.better if first else "higher"
    panel.set_xlabel(f"{better} is better", color=INK, fontsize=9)
    _frame(panel, title)


def _label(panel: Axes, title: str, first: Effect | None) -> None:
    """Titles and axes, and the chance level if the first effect has one."""
    if first and first.chance is not None:
        panel.axhline(first.chance, **_CHANCE_LINE)
        place = (0.01, first.chance)
        _write_chance(panel, place, ("axes fraction", "data"), up=2)
    better = first.better if first else "higher"
    panel.set_ylabel(f"{better} is better", color=INK, fontsize=9)
    panel.set_xlabel("million processed tokens", color=INK, fontsize=9)
    _frame(panel, title)


def _write_chance(
    panel: Axes,
    place: tuple[float, float],
    of: tuple[str, str],
    *,
    right: int = 0,
    up: int = 0,
) -> None:
    """Names the line of the chance level, some points beside it."""
    panel.annotate(
        "chance",
        place,
        xycoords=of,
        xytext=(right, up),
        textcoords="offset points",
        color=QUIET,
        fontsize=8,
    )


def _frame(panel: Axes, title: str) -> None:
    panel.set_title(title, color=INK, fontsize=11)
    panel.tick_params(colors=INK, labelsize=9)
    panel.grid(color=QUIET, alpha=0.25, linewidth=0.6)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[:].set_color(QUIET)
