"""Scores over budget, a curve a mix: one panel for each failure, as SVG."""

from collections.abc import Collection, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from ..scores.score import FAILURES
from .records import Record
from .study_summary import Figure, Measure, at, budgets, figure
from .study_table import MEASURES

WIDTH, HEIGHT, TOP, LEFT, RIGHT, BOTTOM = 360, 340, 50, 46, 150, 44

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
DASHES = ("", "6 3", "2 3")


class Curve(NamedTuple):
    """A mix over budgets."""

    mix: str
    tokens: list[float]
    figures: list[Figure]


def curves(
    records: Sequence[Record], *, incumbent: str, best: Collection[str] = ()
) -> str:
    """An SVG page: of each failure the first of `MEASURES`, with intervals.

    Intervals are drawn for the incumbent, black, and for the best mixes; all of them
    are in the table.

    Args:
      records: of all runs.
      incumbent: the mix that others are compared with.
      best: mixes to be drawn like it.
    """
    marked = {incumbent, *best}
    # The best ones first, for the first colours are the plainest.
    mixes = list(dict.fromkeys([*best, *(record.mix for record in records)]))
    panels = []
    for number, failure in enumerate(FAILURES):
        measure = next(m for m in MEASURES if m.failure == failure)
        found = [_curve(records, mix, measure) for mix in mixes]
        shown = [curve for curve in found if curve.figures]
        panels.append(
            f'<g transform="translate({number * (WIDTH + 10)},0)">'
            f"{_panel(measure, shown, mixes, incumbent, marked)}</g>"
        )
    width = 3 * (WIDTH + 10)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" '
        f'width="{width}" height="{HEIGHT}" font-family="system-ui, sans-serif" '
        'font-size="11" role="img"><title>Scores over budget</title>'
        f'<rect width="{width}" height="{HEIGHT}" fill="#fff"/>'
        + "".join(panels)
        + "</svg>\n"
    )


def _curve(records: Sequence[Record], mix: str, measure: Measure) -> Curve:
    tokens: list[float] = []
    figures: list[Figure] = []
    for rank in range(len(budgets(records))):
        runs = at(records, mix, rank)
        found = figure(runs, measure)
        if found is not None:
            tokens.append(float(np.mean([r.tokens for r in runs])) / 1e6)
            figures.append(found)
    return Curve(mix, tokens, figures)


def _panel(
    measure: Measure,
    shown: Sequence[Curve],
    mixes: Sequence[str],
    incumbent: str,
    marked: Collection[str],
) -> str:
    ends = [e for c in shown for f in c.figures for e in (f.low, f.high)]
    chance = shown[0].figures[0].chance if shown else None
    ends += [chance] if chance is not None else []
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    low, high = low - 0.04 * (high - low), high + 0.04 * (high - low) + 1e-9
    most = max((t for c in shown for t in c.tokens), default=1.0)

    def x(tokens: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * tokens / most

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)

    way = "higher" if not shown else shown[0].figures[0].better
    parts = [
        f'<text x="{LEFT}" y="18" font-size="13" font-weight="600">'
        f"{escape(measure.failure)}</text>",
        f'<text x="{LEFT}" y="34" fill="#555">{escape(measure.metric)}, '
        f"{escape(measure.probe)}</text>",
        f'<text x="{LEFT}" y="46" fill="#555" font-size="10">{way} is better</text>',
    ]
    for tick in np.linspace(low, high, 5):
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" '
            f'y2="{y(tick):.1f}" stroke="#e5e5e5"/>'
            f'<text x="{LEFT - 5}" y="{y(tick) + 4:.1f}" text-anchor="end" '
            f'fill="#555">{tick:.2f}</text>'
        )
    if chance is not None:
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(chance):.1f}" '
            f'y2="{y(chance):.1f}" stroke="#999" stroke-dasharray="1 3"/>'
            f'<text x="{LEFT + 3}" y="{y(chance) - 3:.1f}" fill="#777" '
            'font-size="10">a guess</text>'
        )
    for tokens in shown[0].tokens if shown else ():
        parts.append(
            f'<text x="{x(tokens):.1f}" y="{HEIGHT - BOTTOM + 14}" fill="#555" '
            f'text-anchor="middle">{tokens:.1f}</text>'
        )
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" fill="#555" '
        'text-anchor="middle">million processed tokens</text>'
    )
    others = [mix for mix in mixes if mix != incumbent]
    for curve in shown:
        number = others.index(curve.mix) if curve.mix != incumbent else -1
        parts.append(_line(curve, number, curve.mix in marked, x, y))
    parts += _labels(shown, others, incumbent, y)
    return "".join(parts)


def _style(number: int) -> tuple[str, str]:
    if number < 0:
        return "#000", ""
    dash = DASHES[number // len(COLOURS) % len(DASHES)]
    return COLOURS[number % len(COLOURS)], dash


def _line(curve: Curve, number: int, banded: bool, x, y) -> str:
    colour, dash = _style(number)
    points = list(zip(curve.tokens, curve.figures, strict=True))
    line = " ".join(f"{x(t):.1f},{y(f.value):.1f}" for t, f in points)
    band = ""
    if banded:
        upper = [f"{x(t):.1f},{y(f.high):.1f}" for t, f in points]
        lower = [f"{x(t):.1f},{y(f.low):.1f}" for t, f in reversed(points)]
        band = (
            f'<polygon points="{" ".join([*upper, *lower])}" fill="{colour}" '
            'opacity="0.12"/>'
        )
    return (
        f'{band}<polyline points="{line}" fill="none" stroke="{colour}" '
        f'stroke-width="{2.5 if banded else 1.3}" stroke-dasharray="{dash}">'
        f"<title>{escape(curve.mix)}</title></polyline>"
    )


def _labels(
    shown: Sequence[Curve], others: Sequence[str], incumbent: str, y
) -> list[str]:
    """Names at the ends of the curves, moved apart where they would overlap."""
    wanted = sorted((y(c.figures[-1].value), c.mix) for c in shown)
    placed: list[float] = []
    for at_y, _ in wanted:
        placed.append(max(at_y, placed[-1] + 12 if placed else TOP))
    over = (placed[-1] if placed else 0) - (HEIGHT - BOTTOM + 10)
    if over > 0:
        placed = [p - over for p in placed]
    parts = []
    for (from_y, mix), to_y in zip(wanted, placed, strict=True):
        colour = _style(others.index(mix) if mix != incumbent else -1)[0]
        edge = WIDTH - RIGHT
        parts.append(
            f'<line x1="{edge}" y1="{from_y:.1f}" x2="{edge + 10}" y2="{to_y:.1f}" '
            f'stroke="{colour}" stroke-width="0.8"/>'
            f'<text x="{edge + 13}" y="{to_y + 4:.1f}" fill="{colour}">'
            f"{escape(mix)}</text>"
        )
    return parts
