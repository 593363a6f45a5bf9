"""The two charts of the memo: scores, and supervision before and after."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...objectives.registry import base_name
from ..results.charts import INK, QUIET, svg
from ..results.effects import Effect
from ..scores.score import Score
from ..traits.traits import MixtureTraits
from ..wording import percent
from .formatting import number, target

KINDS: Mapping[str, tuple[str, str]] = {
    "past": ("from the strict past", "#0072b2"),
    "both": ("from both sides", "#e69f00"),
    "permuted": ("in a permuted order", "#cc79a7"),
    "whole": ("of a whole text, reproduced", "#009e73"),
    "label": ("labels of pairs", "#d55e00"),
}
"""Kinds of supervision: legend, and a colour of Okabe and Ito's colour-blind-safe
palette, legible on light and dark pages."""

_MARKS = (("o", INK), ("s", "#0072b2"), ("D", "#d55e00"))
"""Marker and colour of the scores of a group, in order."""

_LEFT, _RIGHT, _WIDTH = 2.2, 0.6, 7.6


def divided(mixture: MixtureTraits, shares: Mapping[str, float]) -> dict[str, float]:
    """A mixture's supervision by kind; sums to 1.

    Labels and whole texts are separate kinds; other tokens are divided by what they
    are predicted from.

    Args:
      mixture: its traits.
      shares: of each objective: `mixture.supervised` or `mixture.loss`.
    """
    amounts: dict[str, float] = dict.fromkeys(KINDS, 0.0)
    for name, share in shares.items():
        traits = mixture.objectives[name]
        rest = 1 - traits.labels - traits.whole
        amounts["label"] += share * traits.labels
        amounts["whole"] += share * traits.whole
        for kind in ("past", "both", "permuted"):
            amounts[kind] += share * rest * getattr(traits, kind)
    return amounts


def bases(mixture: MixtureTraits) -> list[str]:
    """The distinct objectives of a mixture, variants merged."""
    return list(dict.fromkeys(base_name(name) for name in mixture.objectives))


def share_bars(bars: Mapping[str, Mapping[str, float]]) -> str:
    """Stacked bars of shares that sum to 1.

    Args:
      bars: the share of each kind, by label.
    """
    figure, axes = _axes(rows=len(bars), legend_lines=2)
    left = np.zeros(len(bars))
    for kind, (legend, colour) in KINDS.items():
        width = np.array([shares[kind] for shares in bars.values()])
        drawn = axes.barh(list(bars), width, 0.7, left, color=colour, label=legend)
        labels = [percent(share) if share > 0.08 else "" for share in width]
        axes.bar_label(drawn, labels, label_type="center", color="#111111")
        left += width
    axes.set_xticks([])
    return _finished(figure, columns=3, label="Supervised share by kind")


def score_dots(groups: Mapping[str, Mapping[str, Score | Effect | None]]) -> str:
    """Scores with their intervals on one axis from 0 to 1, in groups.

    Args:
      groups: up to three scores by label for each heading, always in the same order;
        None if not measured.
    """
    rows = sum(1 + len(scores) for scores in groups.values())
    figure, axes = _axes(rows=rows, legend_lines=1)
    labels: list[str] = []
    for heading, scores in groups.items():
        axes.text(0, len(labels), heading, fontweight="bold", va="center")
        labels.append("")
        for mark, (label, score) in zip(_MARKS, scores.items(), strict=False):
            _draw(axes, score, len(labels), *mark)
            labels.append(label)
    axes.set_yticks(range(rows), labels)
    axes.set_xlim(-0.01, 1.01)
    axes.grid(axis="x", color=QUIET, alpha=0.4, linewidth=0.6)
    legend = "to beat: chance or the best shallow baseline"
    axes.plot([], [], "|", markersize=11, color=QUIET, label=legend)
    return _finished(figure, columns=1, label="Scores by failure")


def _draw(
    axes: Axes, score: Score | Effect | None, row: int, marker: str, colour: str
) -> None:
    if score is None:
        axes.text(0, row, "not measured", va="center", color=QUIET)
        return
    if (level := target(score)) is not None:
        axes.plot([level] * 2, [row - 0.4, row + 0.4], color=QUIET, linewidth=2)
    # An interval with NaN ends is not drawn.
    axes.plot([score.low, score.high], [row] * 2, color=colour, linewidth=1.8)
    axes.plot([score.value], [row], marker, color=colour, markersize=7)
    axes.text(1.03, row, number(score.value), va="center")


def _axes(*, rows: int, legend_lines: int) -> tuple[Figure, Axes]:
    """A figure of a fixed width with room for labels, rows and a legend below."""
    below, above = 0.4 + 0.25 * legend_lines, 0.05
    height = 0.3 * rows + below + above
    figure = Figure(figsize=(_WIDTH, height))
    size = 1 - (_LEFT + _RIGHT) / _WIDTH, 1 - (below + above) / height
    axes = figure.add_axes((_LEFT / _WIDTH, below / height, *size))
    axes.set_ylim(rows - 0.5, -0.5)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure, axes


def _finished(figure: Figure, *, columns: int, label: str) -> str:
    figure.legend(loc="lower center", ncols=columns, frameon=False, fontsize=8)
    attributes = f'class="chart" role="img" aria-label="{label}"'
    return svg(figure).replace("<svg ", f"<svg {attributes} ", 1)
