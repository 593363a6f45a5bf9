"""The Pareto front as SVG: the worst failure's gain over the incumbent's own loss."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..results.charts import INK, QUIET, svg_file
from .frontier import Front
from .recommendation import Recommendation

MEASURED, HELD, FOUND = "#0072B2", "#56B4E9", "#D55E00"

TITLE = "Worst failure against the incumbent's own loss"


class Points(NamedTuple):
    """Measured proxies, the mean of each mixture's runs.

    Attributes:
      loss: own loss over the incumbent's.
      worst: the least gain of the failures.
      held_out: whether no model was fitted to it.
    """

    loss: Float64[np.ndarray, " n"]
    worst: Float64[np.ndarray, " n"]
    held_out: np.ndarray


def picture(
    recommendation: Recommendation, points: Points, predicted: Front | None
) -> Figure:
    """The figure, as wide as a page's text."""
    figure = Figure(figsize=(8.4, 4.8), layout="constrained")
    axes = figure.subplots()
    _measured(axes, points)
    if predicted is not None:
        _front(axes, predicted)
    _bound(axes, recommendation.most_loss)
    axes.plot(1.0, 0.0, "o", color=INK, markersize=9, label="incumbent", zorder=5)
    _found(axes, recommendation)
    axes.set_xlabel("incumbent's own held-out loss, over its own", color=INK)
    failures = ", ".join(recommendation.failures) or "none is predicted"
    axes.set_ylabel("gain of the worst failure, SD among mixtures", color=INK)
    axes.set_title(f"Failures: {failures}", color=INK, fontsize=11)
    axes.tick_params(colors=INK, labelsize=9)
    axes.grid(color=QUIET, alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[:].set_color(QUIET)
    figure.legend(loc="outside right upper", frameon=False, labelcolor=INK, fontsize=9)
    return figure


def picture_file(
    recommendation: Recommendation, points: Points, predicted: Front | None
) -> str:
    """The same as a file."""
    return svg_file(picture(recommendation, points, predicted), title=TITLE)


def _measured(axes: Axes, points: Points) -> None:
    styles: Mapping[bool, tuple[str, str, str]] = {
        False: ("o", MEASURED, "measured, fitted to"),
        True: ("s", HELD, "measured, held out"),
    }
    for held, (marker, colour, label) in styles.items():
        chosen = points.held_out == held
        if chosen.any():
            axes.plot(
                points.loss[chosen],
                points.worst[chosen],
                marker,
                color=colour,
                markersize=4.5,
                alpha=0.8,
                label=label,
            )


def _front(axes: Axes, predicted: Front) -> None:
    """The predicted front, and the lower ends of its gains."""
    judged = predicted.judged
    axes.plot(
        judged.loss, judged.worst, color=INK, linewidth=1.8, label="predicted front"
    )
    axes.plot(
        judged.loss,
        np.maximum.accumulate(judged.worst_low),  # of some mixture of no more loss
        color=INK,
        linewidth=1,
        linestyle=":",
        label="its lower bound (95 %)",
    )


def _bound(axes: Axes, most_loss: float) -> None:
    axes.axvline(1 + most_loss, color=QUIET, linestyle="--", linewidth=1.2)
    axes.annotate(
        f"+{100 * most_loss:g} % ",
        (1 + most_loss, 0.01),
        xycoords=("data", "axes fraction"),
        xytext=(3, 0),
        textcoords="offset points",
        color=QUIET,
        fontsize=9,
    )
    axes.axhline(0.0, color=QUIET, linewidth=0.8)


def _found(axes: Axes, recommendation: Recommendation) -> None:
    """The best mixture found, with its intervals."""
    judged = recommendation.judged
    if judged is None:
        return
    n = int(np.argmin(judged.gains[0]))
    loss, gain = float(judged.loss[0]), float(judged.gains[0, n])
    label = "recommended" if recommendation.recommended else "best found: no evidence"
    axes.errorbar(
        loss,
        gain,
        xerr=[[loss - judged.loss_low[0]], [judged.loss_high[0] - loss]],
        yerr=[[gain - judged.worst_low[0]], [judged.highs[0, n] - gain]],
        fmt="D",
        color=FOUND,
        markersize=8,
        capsize=3,
        label=f"{label} (95 %)",
        zorder=6,
    )
