"""How figures read in a memo: numbers, intervals, and what they have to beat."""

import math

from ..causes.cause import percent
from ..results.effects import Effect
from ..scores.score import Score
from ..scores.severity import fails, reference


def number(value: float) -> str:
    """Three digits behind the point."""
    return f"{value:.3f}" if math.isfinite(value) else "–"


def moved(pair: tuple[float, float]) -> str:
    """`5 % → 10 %`."""
    return f"{percent(pair[0])} → {percent(pair[1])}"


def metric(one: Effect | Score) -> str:
    """`minimal pairs, accuracy`, and an arrow where lower is better."""
    return f"{one.probe}, {one.metric}" + ("" if one.better == "higher" else " ↓")


def measured(one: Effect | Score) -> tuple[str, str]:
    """The value, marked where a score fails, and its interval: two cells."""
    if not math.isfinite(one.value):
        return "not measured", "–"
    mark = " ✗" if isinstance(one, Score) and fails(one) else ""
    return f"{number(one.value)}{mark}", f"{number(one.low)} – {number(one.high)}"


def to_beat(one: Effect | Score) -> str:
    """`0.500, chance`: the best of chance and, of a score, its baselines."""
    if isinstance(one, Effect):
        return "–" if one.chance is None else f"{number(one.chance)}, chance"
    wanted = reference(one)
    names = [name for name, value in one.baselines.items() if value == wanted]
    name = "chance" if one.chance == wanted or not names else names[0]
    return "–" if wanted is None else f"{number(wanted)}, {name}"
