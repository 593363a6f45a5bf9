"""What a fit found, as plain values: for JSON, and for the tables of the terminal."""

import math
from collections.abc import Mapping
from typing import Any

from . import trust
from .assessment import CONSTANT, LEARNERS, Assessed, Figures
from .cross_validation import FOLDS
from .exponential import ExponentialLaw
from .gaussian_process import MOST_CONDITIONED, MOST_TUNED
from .metrics import Interval
from .optimum import LIMITS, Optimum
from .table import MixtureTable


def report(
    table: MixtureTable,
    assessed: list[Assessed],
    optima: Mapping[str, Optimum | None],
    *,
    seed: int,
) -> dict[str, Any]:
    """Everything, with NaN as None.

    Args:
      table: that models were fitted to.
      assessed: its targets.
      optima: of those that were asked for.
      seed: of the fit.
    """
    rows = len(table.shares)
    targets = {}
    for each in assessed:
        targets[each.target] = _target(table, each)
        if each.target in optima:
            best = optima[each.target]
            targets[each.target]["optimum"] = best and _optimum(table, each, best)
    return {
        "rows": rows,
        "mixtures": int(table.groups().max()) + 1,
        "components": list(table.components),
        "folds": FOLDS,
        "repeats": len(assessed[0].validated[CONSTANT.name].predicted),
        "seed": seed,
        "rule": trust.RULE,
        "models": {learner.name: learner.about for learner in (*LEARNERS, CONSTANT)},
        "gaussian_process_rows": {
            "kernel_chosen_on": min(rows, MOST_TUNED),
            "conditioned_on": min(rows, MOST_CONDITIONED),
        },
        "targets": targets,
    }


def _target(table: MixtureTable, assessed: Assessed) -> dict[str, Any]:
    models = {}
    for name, figures in assessed.cross_validation.items():
        held = assessed.holdout
        models[name] = {
            "cross_validation": _figures(figures),
            "holdout": _figures(held[name]) if held else None,
        }
        law = assessed.validated[name].whole
        if isinstance(law, ExponentialLaw):
            t = dict(zip(table.components, map(float, law.t), strict=True))
            models[name]["law"] = {"c": law.c, "k": law.k, "t": t}
    return {
        "direction": "maximise" if assessed.maximise else "minimise",
        "trusted": assessed.verdict.model,
        "reason": assessed.verdict.reason,
        "not_apart": list(assessed.verdict.not_apart),
        "noise": assessed.noise,
        "models": models,
    }


def _figures(figures: Figures) -> dict[str, Any]:
    return {name: _interval(value) for name, value in figures._asdict().items()}


def _interval(figure: Interval) -> dict[str, float] | None:
    return None if math.isnan(figure.value) else figure._asdict()


def _optimum(table: MixtureTable, assessed: Assessed, best: Optimum) -> dict[str, Any]:
    def named(shares) -> dict[str, float]:
        return dict(zip(table.components, map(float, shares), strict=True))

    return {
        "mixture": named(best.mixture),
        "model": assessed.verdict.model,
        "predicted": best.predicted,
        "standard_error": best.error,
        "best_observed": {
            "row": table.numbers[best.row],
            "score": best.observed,
            "mixture": named(table.shares[best.row]),
        },
        "gain_over_row": table.numbers[best.reference],
        "gain": {"value": best.gain, "low": best.gain_low, "high": best.gain_high},
        "apart": best.apart,
        "evidence": best.evidence,
        "limits": LIMITS,
    }
