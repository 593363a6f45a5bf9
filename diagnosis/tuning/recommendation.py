"""A mixture that improves the worst failure, if a table is evidence for one."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from ...objectives.errors import UsageError, nearest
from .against import against
from .assessment import Assessed
from .predictor import Shares
from .search import DRAWN, blends, search
from .table import MixtureTable, distinct, is_mixture
from .threads import one_thread
from .worst import Judged, Worst

DECIMALS = 3
"""Of recommended shares."""

ROOM = 1e-3
"""Of the own loss, kept for rounding."""

LEAST_SHARE = 0.005
"""A component of less is left out."""

NO_EVIDENCE = "no evidence"


class Recommendation(NamedTuple):
    """What a table says about rates.

    Attributes:
      failures: names of the targets to improve that a model predicts.
      unpredicted: those that no model predicts, and why.
      incumbent: its shares.
      mixture: the best one found; None if none is within the bound on the loss.
      judged: what is predicted of it, one row; None without it.
      evidence: the verdict in a sentence.
      recommended: whether the mixture is recommended.
      most_loss: own loss that may be lost.
      worst: judges mixtures; None if no failure or no own loss is predicted.
      drawn: blends that were tried.
      judged_drawn: what is predicted of them; None without `worst`.
    """

    failures: tuple[str, ...]
    unpredicted: Mapping[str, str]
    incumbent: Float64[np.ndarray, " K"]
    mixture: Float64[np.ndarray, " K"] | None
    judged: Judged | None
    evidence: str
    recommended: bool
    most_loss: float
    worst: Worst | None
    drawn: Shares
    judged_drawn: Judged | None


def incumbent_of(table: MixtureTable, name: str) -> Float64[np.ndarray, " K"]:
    """The shares of the mixture of this name.

    Raises:
      UsageError: the table has no column of names, or no such mixture.
    """
    if "mixture" not in table.cells[0]:
        raise UsageError(
            "the table has no column 'mixture', by which the incumbent is found; add "
            "one that names each row's mixture."
        )
    names = [row["mixture"] for row in table.cells]
    if name not in names:
        raise UsageError(
            f"no row to fit to is of the incumbent {name!r}; {nearest(name, names)}"
        )
    return table.shares[names.index(name)]


@one_thread()
def recommend(
    table: MixtureTable,
    assessed: Sequence[Assessed],
    *,
    loss: str,
    incumbent: Float64[np.ndarray, " K"],
    most_loss: float,
    seed: int = 0,
) -> Recommendation:
    """The mixture whose worst failure gains most, within a bound on the own loss.

    It is recommended if the 95 % intervals of its gains exclude 0 for every failure,
    and that of its own loss the bound. Each must hold at once, so that no correction
    for their number is due (an intersection-union test, Berger 1982).

    Args:
      table: the mixtures, without those held out.
      assessed: its targets: the failures, and the own loss.
      loss: which of them is the own loss.
      incumbent: shares of the mixture in use, which the table has runs of.
      most_loss: own loss that may be lost, .02 for 2 %.
      seed: of the search.
    """
    by_target = {each.target: each for each in assessed}
    own = by_target[loss]
    base = float(own.scores[is_mixture(table.shares, incumbent)].mean())
    predicted_own = against(own, table.shares, incumbent, scale=abs(base))
    failures = {
        name: against(each, table.shares, incumbent)
        for name, each in by_target.items()
        if name != loss
    }
    unpredicted = {
        name: by_target[name].verdict.reason
        for name, model in {**failures, loss: predicted_own}.items()
        if model is None
    }
    observed = distinct(table.shares)
    drawn = blends(observed, count=DRAWN, seed=seed)
    known = [model for model in failures.values() if model is not None]

    def found(evidence: str, mixture=None, judged=None, *, recommended=False):
        return Recommendation(
            tuple(model.target for model in known),
            unpredicted,
            incumbent,
            mixture,
            judged,
            evidence,
            recommended,
            most_loss,
            worst,
            drawn,
            judged_drawn,
        )

    if predicted_own is None or not known:
        worst, judged_drawn = None, None
        return found(_unpredicted(unpredicted))
    worst = Worst(known, predicted_own)
    judged_drawn = worst.judge(drawn)
    # Rounding needs some room below the bound.
    spare = most_loss - min(ROOM, most_loss / 10)
    best = search(worst, observed, drawn, judged_drawn, most_loss=spare)
    if best is None:
        return found(_no_room(judged_drawn, most_loss))
    best = _rounded(worst, best, table, most_loss)
    judged = worst.judge(best[None])
    low, gain = float(judged.worst_low[0]), float(judged.worst[0])
    measured = f"the worst failure gains {gain:.2f} SD, at least {low:.2f}"
    if unpredicted:
        evidence = f"{_unpredicted(unpredicted)} Of the others, {measured}."
        return found(evidence, best, judged)
    if low <= 0:
        evidence = (
            f"{NO_EVIDENCE} that a mixture within {most_loss:.1%} of the incumbent's "
            f"own loss improves every failure: at the best one {measured}."
        )
        return found(evidence, best, judged)
    evidence = (
        f"every failure is predicted to improve: {measured}, at an own loss of "
        f"{float(judged.loss[0]):.3f} of the incumbent's, at most "
        f"{float(judged.loss_high[0]):.3f}."
    )
    return found(evidence, best, judged, recommended=True)


def _unpredicted(why: Mapping[str, str]) -> str:
    reasons = " ".join(f"{target}: {reason}" for target, reason in why.items())
    return f"{NO_EVIDENCE} about {', '.join(why)}. {reasons}"


def _no_room(judged: Judged, most_loss: float) -> str:
    least = int(np.argmin(judged.loss_high))
    return (
        f"{NO_EVIDENCE} of a mixture that keeps the incumbent's own loss within "
        f"{most_loss:.1%}: the least upper bound of {len(judged.loss)} mixtures is "
        f"{judged.loss_high[least]:.3f} of it (predicted {judged.loss[least]:.3f}). "
        "More runs narrow the bounds; a larger --most_loss makes room."
    )


def _rounded(
    worst: Worst,
    mixture: Float64[np.ndarray, " K"],
    table: MixtureTable,
    most_loss: float,
) -> Float64[np.ndarray, " K"]:
    """Few decimals, and no components of next to nothing, unless that is worse."""
    size = len(table.mixed)
    present = mixture[:size] >= LEAST_SHARE
    simplices = mixture.reshape(-1, size) * present
    rounded = np.concatenate([_to_decimals(shares) for shares in simplices])
    judged = worst.judge(np.stack([mixture, rounded]))
    kept = judged.worst_low[1] >= judged.worst_low[0] - 0.01
    within = judged.loss_high[1] <= 1 + most_loss
    return rounded if kept and within else mixture


def _to_decimals(shares: Float64[np.ndarray, " k"]) -> Float64[np.ndarray, " k"]:
    """Shares of `DECIMALS` that sum to 1; the largest takes what rounding leaves."""
    rounded = np.round(shares / shares.sum(), DECIMALS)
    rounded[np.argmax(rounded)] += 1 - rounded.sum()
    return np.round(rounded, DECIMALS)
