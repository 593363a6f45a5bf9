"""A recommended mixture trained against the incumbent, with seeds of their own.

A seed sets the parameters and the data of both, so that differences are taken seed by
seed, and their interval is Student's.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...objectives.errors import UsageError
from ..results.paired import LEAST_SEEDS, student_interval
from .predictor import Scores


class Difference(NamedTuple):
    """A target of the winner and of the incumbent.

    Attributes:
      incumbent: mean over seeds.
      winner: mean over seeds.
      value: mean of the differences, or of the ratios less 1.
      low: lower end of its 95 % interval.
      high: upper end.
      verdict: in a word or two.
    """

    incumbent: float
    winner: float
    value: float
    low: float
    high: float
    verdict: str


def failure_difference(
    winner: Scores, incumbent: Scores, *, maximise: bool
) -> Difference:
    """The difference of a failure's score: better, worse or no evidence."""
    mean, low, high = _paired(winner - incumbent)
    up, down = ("better", "worse") if maximise else ("worse", "better")
    verdict = up if low > 0 else down if high < 0 else "no evidence"
    return Difference(
        *(float(incumbent.mean()), float(winner.mean()), mean, low, high, verdict)
    )


def loss_difference(
    winner: Scores, incumbent: Scores, *, most_loss: float
) -> Difference:
    """The relative difference of the own loss: within the bound, beyond it, or open."""
    mean, low, high = _paired(winner / incumbent - 1)
    verdict = "no evidence"
    if high <= most_loss:
        verdict = "within"
    elif low > most_loss:
        verdict = "beyond"
    return Difference(
        *(float(incumbent.mean()), float(winner.mean()), mean, low, high, verdict)
    )


def _paired(differences: Scores) -> tuple[float, float, float]:
    """Mean and Student's 95 % interval."""
    count = len(differences)
    if count < LEAST_SEEDS:
        raise UsageError(
            f"{count} run of each mixture gives no interval; give "
            f"--seeds={LEAST_SEEDS} or more."
        )
    return float(differences.mean()), *student_interval(differences)


def as_values(
    failures: Mapping[str, Difference],
    loss: Difference,
    *,
    most_loss: float,
    seeds: Sequence[int],
) -> dict[str, Any]:
    """The result, for JSON and the terminal.

    Args:
      failures: the difference of each.
      loss: of the own loss.
      most_loss: that may be lost.
      seeds: of the runs.
    """
    missed = [f"{name}: {d.verdict}" for name, d in failures.items()]
    missed = [text for text in missed if not text.endswith(": better")]
    if loss.verdict != "within":
        missed.append(f"own loss within {most_loss:.1%}: {loss.verdict}")
    confirmed = not missed
    evidence = "Confirmed: every failure is better, the own loss within its bound."
    if missed:
        evidence = f"Not confirmed. {'; '.join(missed)}."
    return {
        "confirmed": confirmed,
        "evidence": evidence,
        "runs": len(seeds),
        "seeds": list(seeds),
        "most_loss": most_loss,
        "targets": {
            **{name: _values(each) for name, each in failures.items()},
            "own loss, relative": _values(loss),
        },
    }


def _values(each: Difference) -> dict[str, Any]:
    difference = {"value": each.value, "low": each.low, "high": each.high}
    return {
        "incumbent": each.incumbent,
        "winner": each.winner,
        "difference": difference,
        "verdict": each.verdict,
    }
