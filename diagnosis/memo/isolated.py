"""The effect of a single objective: mixes of the study with and without it."""

import itertools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from ...objectives import registry
from ...objectives.registry import base_name
from ..results.effects import (
    Comparison,
    Difference,
    Effects,
    Mix,
    beats,
    comparisons_of,
    shown,
)
from ..results.nearest import Choice, nearest
from .formatting import number, step
from .inputs import Memo


class Isolated(NamedTuple):
    """The effect of adding one objective to a mix and changing nothing else.

    Attributes:
      without: the mix without the objective.
      having: the mix with it.
      probe: that both were measured by.
      text: the probe's metric of both, and the interval of their difference where runs
        of a seed were paired.
      verdict: whether the objective helps, with intervals that do not overlap or with
        one of the difference that excludes 0.
      settings: of the objective in `having`.
    """

    without: str
    having: str
    probe: str
    text: str
    verdict: str
    settings: Mapping[str, Any]


def isolated(effects: Effects, objective: str, failure: str) -> list[Isolated]:
    """The comparisons of mixes with and without an objective; there are often none.

    Those that the study made; else those that its mixes imply. These are comparable if
    one adds exactly this objective to the other, and the shared objectives have the
    same settings and the same proportions of rates and loss shares. Anything else
    confounds the objective with another.

    Args:
      effects: of a study.
      objective: name without variant.
      failure: on which the mixes were measured.
    """
    made = [
        _compared(comparison, difference, effects)
        for comparison, scores in comparisons_of(effects, objective, failure)
        for difference in scores
    ]
    pairs = itertools.permutations(effects.mixes.items(), 2)
    return made or [
        Isolated(
            without,
            having,
            after.probe,
            step(before, after),
            "better" if beats(before, after) else "no clear difference",
            _settings(mix, objective),
        )
        for (without, base), (having, mix) in pairs
        if _adds_only(base, mix, objective)
        for before, after in itertools.product(base.effects, mix.effects)
        if before[:3] == after[:3] and before.failure == failure
    ]


def isolated_in(memo: Memo, objective: str, failure: str) -> Choice | None:
    """The nearest study with such a comparison; None if there is none."""
    return nearest(
        memo.studies or (memo.effects,),
        memo.about,
        lambda study: bool(isolated(study, objective, failure)),
    )


def _compared(
    comparison: Comparison, difference: Difference, effects: Effects
) -> Isolated:
    arrow = "" if difference.better == "higher" else " ↓"
    values = " → ".join(map(number, (difference.without, difference.having)))
    interval = f"[{difference.low:+.3f}, {difference.high:+.3f}]"
    return Isolated(
        comparison.without,
        comparison.having,
        difference.probe,
        f"{difference.probe}, {difference.metric}{arrow} {values} (Δ {interval})",
        shown(difference),
        _settings(effects.mixes[comparison.having], comparison.objective),
    )


def _adds_only(base: Mix, mix: Mix, objective: str) -> bool:
    had, has = _positive(base.rates), _positive(mix.rates)
    added = {base_name(name) for name in set(has) - set(had)}
    return (
        added == {objective}
        and set(had) <= set(has)
        and objective not in map(base_name, had)
        and all(_settings(base, name) == _settings(mix, name) for name in had)
        and _proportional(had, has)
        and _proportional(_positive(base.loss_shares), _positive(mix.loss_shares))
    )


def _positive(shares: Mapping[str, float]) -> dict[str, float]:
    return {name: share for name, share in shares.items() if share > 0}


def _proportional(had: Mapping[str, float], has: Mapping[str, float]) -> bool:
    total, kept = sum(had.values()), sum(has.get(name, 0.0) for name in had)
    return kept > 0 and all(
        math.isclose(share / total, has.get(name, 0.0) / kept, rel_tol=1e-3)
        for name, share in had.items()
    )


def _settings(mix: Mix, name: str) -> Mapping[str, Any]:
    """The settings in force, defaults included."""
    bound = mix.settings.get(name, mix.settings.get(base_name(name), {}))
    return registry.get(name).with_settings(**bound).settings
