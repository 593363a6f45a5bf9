"""Which failures there are, and how bad each is, from complaints and scores."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from .complaints import Complaint
from .score import FAILURES, Failure, Score

COUNTS = ("restatements",)
"""Metrics that are counts, not shares: however good, they could be better."""


class Severity(NamedTuple):
    """How bad a failure is.

    Attributes:
      failure: which.
      value: 0 to 1: of the texts that were read, or of the way from perfect to a guess.
      source: where the number is from.
    """

    failure: Failure
    value: float
    source: str


def severities(
    complaints: Sequence[Complaint], scores: Sequence[Score]
) -> tuple[Severity, ...]:
    """The failures that are complained of or measured, worst complaint first named.

    A failure is there if reviewers found one, if it was named without counts, or if a
    score of it fails (`fails`). Its severity is the reviewers' share; without counts,
    the mean of its scores' ways from perfect to their reference; without scores, 1.

    Returns:
      Of each failure that is there, in the order of `FAILURES`.
    """
    said = {complaint.failure: complaint for complaint in complaints}
    found = []
    for failure in FAILURES:
        complaint = said.get(failure)
        mine = [s for s in scores if s.failure == failure and reference(s) is not None]
        failing = sum(map(fails, mine))
        # Between perfect and perfect there is no way to have come some part of, and
        # none has a length where nothing is perfect.
        own = [shortfall(s) for s in mine if reference(s) != perfect(s) < math.inf]
        if complaint is not None and complaint.share:
            source = f"{complaint.count} of {complaint.total} texts that were read"
            found.append(Severity(failure, complaint.share, source))
        elif not failing and (complaint is None or complaint.count is not None):
            continue
        elif own:
            source = f"measured: mean of {len(own)} scores, {failing} no better than a "
            source += "guess or a baseline"
            found.append(Severity(failure, sum(own) / len(own), source))
        else:
            source = "rule: named without counts or scores, so 1"
            found.append(Severity(failure, 1.0, source))
    return tuple(found)


def reference(score: Score) -> float | None:
    """What a score has to beat: chance and the best shallow baseline; None: nothing."""
    found = [*score.baselines.values()]
    found += [] if score.chance is None else [score.chance]
    found = [value for value in found if math.isfinite(value)]
    if not found or not math.isfinite(score.value):
        return None
    return max(found) if score.better == "higher" else min(found)


def fails(score: Score) -> bool:
    """Whether a score's interval reaches what it has to beat; perfect never fails."""
    wanted = reference(score)
    if wanted is None or score.value == perfect(score):
        return False
    return score.low <= wanted if score.better == "higher" else score.high >= wanted


def shortfall(score: Score) -> float:
    """The way from perfect (0) to what a score has to beat (1), for a share."""
    wanted = reference(score)
    best = perfect(score)
    if wanted is None or wanted == best or best == math.inf:
        return 0.0
    return min(max((score.value - best) / (wanted - best), 0.0), 1.0)


def perfect(score: Score) -> float:
    """The best that a share can be; of a count that is better higher, infinite."""
    most = math.inf if score.metric in COUNTS else 1.0
    return most if score.better == "higher" else 0.0
