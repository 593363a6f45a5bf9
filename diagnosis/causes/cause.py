"""Causes of failures, the figures behind them, and the thresholds of any failure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from ..failures.failure import Need
from ..findings.complaints import Complaint
from ..findings.headlines import headlines
from ..scores.score import Score
from ..traits.traits import MixtureTraits

NEVER = 0.01
"""Share of Examples below which a mode counts as never trained: a convention. Shipped
mixtures give every mode that they train at least one Example in twenty."""

OUT_OF_SIGHT = 0.25
"""Share of tokens whose window lacks the start of the document, above which failures
that need it are attributed to truncation: a convention. One token in four cannot see
first mentions."""

CauseVerdict = Literal["found", "ruled out", "not measured"]

Unit = Literal["share", "tokens", "count", "nats", "score"]


class Evidence(NamedTuple):
    """A figure that supports a verdict.

    Attributes:
      what: what it measures.
      value: in `unit`.
      unit: shares are within [0, 1].
      source: "probe minimal pairs", "4,000 packed examples".
    """

    what: str
    value: float
    unit: Unit
    source: str


class Cause(NamedTuple):
    """The verdict on one possible cause of failures.

    Attributes:
      number: in the order of the checks, from 1.
      name: of the cause.
      verdict: whether it applies.
      failures: those it explains if found, else those it could explain.
      statement: the verdict in words, with its figures.
      evidence: the figures.
      reasons: a clause for each failure that it explains.
    """

    number: int
    name: str
    verdict: CauseVerdict
    failures: tuple[str, ...]
    statement: str
    evidence: tuple[Evidence, ...]
    reasons: Mapping[str, str] = {}


def carriers(mixture: MixtureTraits, need: Need) -> tuple[str, ...]:
    """The objectives that mostly meet a need; if none does, those that partly do."""
    supply = {name: need.amount(of) for name, of in mixture.objectives.items()}
    mostly = tuple(name for name, share in supply.items() if share > 0.5)
    return mostly or tuple(name for name, share in supply.items() if share > 0)


def figures(
    unit: Unit, source: str, values: Mapping[str, float | int]
) -> list[Evidence]:
    """Evidence of one unit and source, by what each figure measures."""
    return [Evidence(what, float(v), unit, source) for what, v in values.items()]


def symptoms(
    failure: str, scores: Iterable[Score], complaints: Sequence[Complaint] = ()
) -> list[Evidence]:
    """Evidence of the failure itself: the main scores, and reviewers' counts."""
    evidence: list[Evidence] = []
    for s in headlines([s for s in scores if s.failure == failure]):
        what = f"{failure}: {s.kind}, {s.metric}, asked in {s.mode} mode"
        if not math.isnan(s.value):
            evidence += figures("score", f"probe {s.probe}", {what: s.value})
    for c in complaints:
        if c.failure == failure and c.count is not None and c.total is not None:
            source = f"reviewers, of {c.total:,} texts"
            what = f"{failure}: texts that failed"
            evidence += figures("count", source, {what: c.count})
    return evidence
