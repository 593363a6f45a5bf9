"""Which failures a model has, and how severe each is, from complaints and scores."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from ..failures.registry import failures, names
from ..scores.score import Score
from .complaints import Complaint


class Severity(NamedTuple):
    """The severity of a failure.

    Attributes:
      failure: which.
      value: 0 to 1: the share of reviewed texts, or the mean shortfall of scores.
      source: of the value.
    """

    failure: str
    value: float
    source: str


def severities(
    complaints: Sequence[Complaint], scores: Sequence[Score]
) -> tuple[Severity, ...]:
    """The severity of each failure that is reported or measured.

    A failure is present if reviewers found it, if it was named without counts, or if
    one of its scores fails (`fails`). Its severity is the share of reviewed texts;
    without counts the mean of `shortfall` over its scores; without scores 1.

    Returns:
      Of each failure that is present, in the order of the registry.
    """
    by_failure = {complaint.failure: complaint for complaint in complaints}
    severity = []
    for failure in names():
        complaint = by_failure.get(failure)
        judged = [
            s for s in scores if s.failure == failure and reference(s) is not None
        ]
        failing = sum(map(fails, judged))
        # No shortfall is defined if the reference is perfect, or if nothing is.
        gaps = [shortfall(s) for s in judged if reference(s) != perfect(s) < math.inf]
        if complaint is not None and complaint.share:
            source = f"{complaint.count} of {complaint.total} texts that were read"
            severity.append(Severity(failure, complaint.share, source))
        elif not failing and (complaint is None or complaint.count is not None):
            continue
        elif gaps:
            source = f"measured: mean of {len(gaps)} scores, {failing} no better than "
            source += "chance or a baseline"
            severity.append(Severity(failure, sum(gaps) / len(gaps), source))
        else:
            source = "rule: named without counts or scores, so 1"
            severity.append(Severity(failure, 1.0, source))
    return tuple(severity)


def reference(score: Score) -> float | None:
    """The better of chance and the best baseline, to be beaten; None if unknown."""
    references = [*score.baselines.values()]
    references += [] if score.chance is None else [score.chance]
    references = [value for value in references if math.isfinite(value)]
    if not references or not math.isfinite(score.value):
        return None
    return max(references) if score.better == "higher" else min(references)


def fails(score: Score) -> bool:
    """Whether a score's interval reaches its reference; a perfect score never fails."""
    target = reference(score)
    if target is None or score.value == perfect(score):
        return False
    return score.low <= target if score.better == "higher" else score.high >= target


def shortfall(score: Score) -> float:
    """Where a score lies between perfect (0) and its reference (1)."""
    target = reference(score)
    best = perfect(score)
    if target is None or target == best or best == math.inf:
        return 0.0
    return min(max((score.value - best) / (target - best), 0.0), 1.0)


def perfect(score: Score) -> float:
    """The best possible value; infinite for counts where higher is better."""
    failure = failures().get(score.failure)
    is_count = failure is not None and score.metric in failure.counts
    most = math.inf if is_count else 1.0
    return most if score.better == "higher" else 0.0
