"""A recommendation and its validation, as plain values for JSON and tables."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64

from .assessment import Assessed
from .errors import predictions
from .front_picture import Points
from .frontier import Front
from .metrics import Interval
from .recommendation import Recommendation
from .table import LOSS_SHARE, MixtureTable
from .threads import one_thread
from .validation import Agreement, Validation, by_mixture, validation
from .worst import BOUNDS, Judged

WORST = "worst failure"
"""The name of the least gain, beside those of targets."""

UNIT = (
    "gain over the mean of the incumbent's runs, in standard deviations of the score "
    "among the table's mixtures"
)


@one_thread()
def validations(
    found: Recommendation,
    assessed: Sequence[Assessed],
    held: MixtureTable,
    *,
    seed: int,
) -> dict[str, Validation]:
    """Of every predicted target, and of the worst failure's gain.

    Args:
      found: the recommendation, of other mixtures.
      assessed: the targets.
      held: the mixtures held out.
      seed: of the bootstrap.
    """
    validated: dict[str, Validation] = {}
    groups = held.groups()
    runs = {}
    for n, each in enumerate(assessed):
        first, runs[each.target] = by_mixture(held.scores[:, n], groups)
        name = each.verdict.model
        if name is None:
            continue
        predicted, _ = predictions(
            each.validated[name], each.scores, held.shares[first]
        )
        validated[each.target] = validation(
            predicted, runs[each.target], maximise=each.maximise, seed=seed
        )
    if found.worst is not None:
        first, _ = by_mixture(held.scores[:, 0], groups)
        gains = [f.gain(runs[f.target]) for f in found.worst.failures]
        validated[WORST] = validation(
            found.worst.judge(held.shares[first]).worst,
            np.min(gains, axis=0),
            maximise=True,
            seed=seed,
        )
    return validated


def points(
    found: Recommendation, table: MixtureTable, held: MixtureTable | None
) -> Points | None:
    """Every measured mixture; None if no failure or no own loss is predicted."""
    if found.worst is None:
        return None
    loss, worst, out = [], [], []
    for part, held_out in ((table, False), (held, True)):
        if part is None:
            continue
        groups = part.groups()
        means = (
            np.stack([np.bincount(groups, column) for column in part.scores.T], axis=1)
            / np.bincount(groups)[:, None]
        )
        column = dict(zip(part.targets, means.T, strict=True))
        own = found.worst.loss
        loss.append(1.0 - own.gain(column[own.target]))
        gains = [f.gain(column[f.target]) for f in found.worst.failures]
        worst.append(np.min(gains, axis=0))
        out.append(np.full(len(means), held_out))
    return Points(*(np.concatenate(parts) for parts in (loss, worst, out)))


def as_values(
    found: Recommendation,
    table: MixtureTable,
    validated: Mapping[str, Validation],
    predicted: Front | None,
    *,
    models: Mapping[str, str | None],
    noise: Mapping[str, float | None],
    seed: int,
) -> dict[str, Any]:
    """Everything, with NaN as None.

    Args:
      found: the recommendation.
      table: that it rests on.
      validated: on mixtures held out.
      predicted: the front; None without a prediction.
      models: the trusted model of each target.
      noise: standard deviation among runs of one mixture, by target.
      seed: of folds, resamples and the search.
    """
    best = found.mixture
    return {
        "recommended": found.recommended,
        "evidence": found.evidence,
        "components": list(table.mixed),
        "incumbent": _shares(table, found.incumbent),
        "mixture": None if best is None else _shares(table, best),
        "predicted": None if found.judged is None else _judged(found, found.judged, 0),
        "most_loss": found.most_loss,
        "rule": f"the largest least gain within the limit on loss, by {BOUNDS}",
        "unit": UNIT,
        "models": dict(models),
        "noise": dict(noise),
        "rows": len(table.shares),
        "mixtures": int(table.groups().max()) + 1,
        "seed": seed,
        "validation": {name: _validation(each) for name, each in validated.items()},
        "front": []
        if predicted is None
        else [
            _shares(table, shares) | _judged(found, predicted.judged, n)
            for n, shares in enumerate(predicted.shares)
        ],
    }


def _shares(
    table: MixtureTable, mixture: Float64[np.ndarray, " K"]
) -> dict[str, dict[str, float]]:
    """Rates and shares of the loss by component."""
    by_column = dict(zip(table.components, map(float, mixture), strict=True))
    rates = {name: by_column[name] for name in table.mixed}
    shares = {name: by_column.get(f"{LOSS_SHARE}{name}", rates[name]) for name in rates}
    return {"rates": rates, "loss_shares": shares}


def _judged(found: Recommendation, judged: Judged, n: int) -> dict[str, Any]:
    def ends(value, low, high) -> dict[str, float]:
        return {"value": float(value), "low": float(low), "high": float(high)}

    return {
        "own_loss": ends(judged.loss[n], judged.loss_low[n], judged.loss_high[n]),
        "worst_gain": ends(
            judged.gains[n].min(), judged.lows[n].min(), judged.highs[n].min()
        ),
        "gains": {
            name: ends(judged.gains[n, f], judged.lows[n, f], judged.highs[n, f])
            for f, name in enumerate(found.failures)
        },
    }


def _validation(each: Validation) -> dict[str, Any]:
    return {
        "mixtures": each.mixtures,
        "seeds": each.seeds,
        "predicted": _agreement(each.predicted),
        "noise_ceiling": each.ceiling and _agreement(each.ceiling),
    }


def _agreement(agreement: Agreement) -> dict[str, Any]:
    return {name: _interval(value) for name, value in agreement._asdict().items()}


def _interval(figure: Interval) -> dict[str, float] | None:
    return None if math.isnan(figure.value) else figure._asdict()
