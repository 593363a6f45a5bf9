"""The pictures of shares and of scores; colours and fonts are the page's."""

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import NamedTuple

from ...objectives.registry import base_name
from ..causes.cause import percent
from ..traits.traits import MixtureTraits

KINDS = ("past", "both", "permuted", "whole", "label")
"""What supervision is divided into; the colours' names on the page."""

LEGEND: Mapping[str, str] = {
    "past": "from the strict past",
    "both": "from both sides",
    "permuted": "in a permuted order",
    "whole": "of a whole text, reproduced",
    "label": "labels of pairs",
}

_WIDTH, _LEFT = 760, 190


def divided(mixture: MixtureTraits, shares: Mapping[str, float]) -> dict[str, float]:
    """A mixture's supervision by kind; sums to 1.

    Labels and whole texts are kinds of their own; other tokens are divided by what
    they are predicted from.

    Args:
      mixture: its traits.
      shares: of each objective: `mixture.supervised` or `mixture.loss`.
    """
    found: dict[str, float] = dict.fromkeys(KINDS, 0.0)
    for name, share in shares.items():
        traits = mixture.objectives[name]
        rest = 1 - traits.labels - traits.whole
        found["label"] += share * traits.labels
        found["whole"] += share * traits.whole
        for kind in KINDS[:3]:
            found[kind] += share * rest * getattr(traits, kind)
    return found


def share_bars(bars: Sequence[tuple[str, Mapping[str, float]]]) -> str:
    """Bars of shares that sum to 1, one below another, each with a label.

    Args:
      bars: label, and share of each kind.
    """
    height, gap, scale = 30, 14, _WIDTH - _LEFT
    parts = []
    for number, (label, shares) in enumerate(bars):
        y = number * (height + gap)
        parts.append(_text(_LEFT - 10, y + 20, label, "end"))
        x = float(_LEFT)
        for kind in KINDS:
            width = scale * shares[kind]
            if width > 0:
                where = f'x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}"'
                told = escape(f"{LEGEND[kind]}: {percent(shares[kind])}")
                parts.append(
                    f'<rect class="k-{kind}" {where}><title>{told}</title></rect>'
                )
            if width > 44:
                told = percent(shares[kind])
                parts.append(_text(x + width / 2, y + 20, told, f"mid on-{kind}"))
            x += width
    y = len(bars) * (height + gap) + 6
    x = float(_LEFT)
    for kind in KINDS:
        if x + 24 + 6.6 * len(LEGEND[kind]) > _WIDTH:
            x, y = float(_LEFT), y + 22
        parts.append(
            f'<rect class="k-{kind}" x="{x:g}" y="{y}" width="13" height="13"/>'
        )
        parts.append(_text(x + 19, y + 11, LEGEND[kind], ""))
        x += 36 + 6.6 * len(LEGEND[kind])
    return _svg(parts, y + 20, "Supervision by what it is predicted from")


class Dot(NamedTuple):
    """A score in the picture of scores.

    Attributes:
      label: beside it.
      value: within [0, 1]; None where it was not measured.
      low: of its interval.
      high: of its interval.
      chance: of a guess; None where there is no such thing.
      baseline: the best shallow one; None where there is none.
      kind: of the model at hand, or of the study's incumbent or revision.
    """

    label: str
    value: float | None
    low: float
    high: float
    chance: float | None
    baseline: float | None
    kind: str


def score_dots(groups: Sequence[tuple[str, Sequence[Dot]]]) -> str:
    """Scores with their intervals on one axis from 0 to 1, in groups.

    Args:
      groups: heading, and scores.
    """
    left, right, step, y = 330, _WIDTH - 20, 24, 0
    parts: list[str] = []
    marks: list[str] = []
    for heading, dots in groups:
        y += 30
        marks.append(_text(0, y, heading, "head"))
        for dot in dots:
            y += step
            marks.append(_text(left - 14, y + 4, dot.label, "end"))
            marks += _dot(dot, left, right - left, y)
    for tick in (0, 0.25, 0.5, 0.75, 1):
        x = left + tick * (right - left)
        parts.append(f'<path class="grid" d="M{x:g} 14V{y + 14}"/>')
        parts.append(_text(x, y + 30, f"{tick:g}", "mid"))
    return _svg([*parts, *marks, *_dot_legend(y + 58)], y + 90, "Scores of the probes")


def _dot(dot: Dot, left: int, width: int, y: int) -> Iterator[str]:
    def at(value: int | float) -> float:
        return left + width * min(max(value, 0.0), 1.0)

    if dot.chance is not None and math.isfinite(dot.chance):
        yield f'<path class="chance" d="M{at(dot.chance):.1f} {y - 8}v16"/>'
    if dot.baseline is not None and math.isfinite(dot.baseline):
        yield _cross(at(dot.baseline), y)
    if dot.value is None or not math.isfinite(dot.value):
        yield f'<circle class="none" cx="{left + 7}" cy="{y}" r="5"/>'
        yield _text(left + 20, y + 4, "not measured", "")
        return
    if math.isfinite(dot.low) and math.isfinite(dot.high):
        ends = f"M{at(dot.low):.1f} {y}H{at(dot.high):.1f}"
        yield f'<path class="range {dot.kind}" d="{ends}"/>'
    told = f"{dot.label}: {dot.value:.3g} [{dot.low:.3g}, {dot.high:.3g}]"
    yield _mark(dot.kind, at(dot.value), y, f"<title>{escape(told)}</title>")


def _mark(kind: str, x: int | float, y: int, inside: str = "") -> str:
    """A filled circle, a square or a diamond: kinds differ in form and colour."""
    if kind == "here":
        return f'<circle class="{kind}" cx="{x:.1f}" cy="{y}" r="5.5">{inside}</circle>'
    if kind == "before":
        shape = f"M{x - 5:.1f} {y - 5}h10v10h-10z"
    else:
        shape = f"M{x:.1f} {y - 7}l7 7l-7 7l-7-7z"
    return f'<path class="{kind}" d="{shape}">{inside}</path>'


def _cross(x: int | float, y: int) -> str:
    return f'<path class="cross" d="M{x - 4:.1f} {y - 4}l8 8m0-8l-8 8"/>'


def _dot_legend(y: int) -> Iterator[str]:
    legend = {
        "here": "this checkpoint",
        "before": "the study's incumbent",
        "after": "the study's revised mix",
    }
    x = 0.0
    for kind, text in legend.items():
        yield _mark(kind, x + 8, y)
        yield _text(x + 22, y + 4, text, "")
        x += 42 + 6.4 * len(text)
    yield f'<path class="chance" d="M{x + 8:g} {y - 8}v16"/>'
    yield _text(x + 20, y + 4, "chance", "")
    x += 80
    yield _cross(x + 8, y)
    yield _text(x + 20, y + 4, "best shallow baseline", "")
    yield _text(0, y + 26, "Lines are 95 % intervals; hollow is not measured.", "")


def bases(mixture: MixtureTraits) -> list[str]:
    """The objectives of a mixture without variants, each once."""
    return list(dict.fromkeys(base_name(name) for name in mixture.objectives))


def _text(x: int | float, y: int | float, text: str, kind: str) -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.4g}" y="{y:.4g}"{style}>{escape(text)}</text>'


def _svg(parts: Sequence[str], height: int, label: str) -> str:
    return (
        f'<svg class="chart" role="img" aria-label="{escape(label)}" '
        f'viewBox="0 0 {_WIDTH} {height}">{"".join(parts)}</svg>'
    )
