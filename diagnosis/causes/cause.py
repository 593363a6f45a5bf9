"""Causes of failures, and the thresholds above or below which one is found."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from ..scores.complaints import LONG_NAMES, Complaint
from ..scores.headlines import headlines
from ..scores.score import Failure, Score
from ..traits.forms import ExampleMode
from ..traits.objective_traits import Traits
from ..traits.traits import By, MixtureTraits

NEVER = 0.01
"""Share of Examples below which a mode counts as never trained: a convention. Shipped
mixtures give every mode that they train at least one Example in twenty."""

OUT_OF_SIGHT = 0.25
"""Share of tokens whose window lacks the start of the document, above which drift is
attributed to truncation: a convention. One token in four cannot see first mentions."""

LITTLE_ONWARD = 0.1
"""Share of the loss on text from the strict past that counts as too little: half of the
about 20 % that UL2 prefers for its sequential denoiser (Tay et al. 2022, §4)."""

LITTLE_LABELS = 0.02
"""Share of the loss on labels of pairs that counts as too little: a convention, ten
times the 0.13 % that one label gets under a plain token sum."""

LITTLE_WHOLE = 0.05
"""Share of the loss on whole texts to reproduce that counts as too little: a
convention, since no source gives one; revised mixtures start above it."""

LITTLE_ORDER = 0.1
"""Share of negative pairs from one document below which order is untested: a
convention. With none, order is judged at chance (52.0 %, ALBERT, table 5)."""

ONE_SIDED = 0.05
"""Share of a label below which always answering the other is nearly always right."""

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
    failures: tuple[Failure, ...]
    statement: str
    evidence: tuple[Evidence, ...]
    reasons: Mapping[Failure, str] = {}


class Need(NamedTuple):
    """The supervision whose lack leads to a failure.

    Attributes:
      trait: that measures it, a field of `Traits`.
      name: of the supervision.
      by: the share in which its presence is measured.
      unit: what that is a share of.
      little: share of the loss that counts as too little.
      use: the use of a model in which the failure shows.
      modes: of that use.
    """

    trait: Literal["onward", "labels", "whole"]
    name: str
    by: By
    unit: str
    little: float
    use: str
    modes: tuple[ExampleMode, ...]


NEEDS: Mapping[Failure, Need] = {
    "drift": Need(
        "onward",
        "text from the strict past",
        "supervised",
        "supervised tokens",
        LITTLE_ONWARD,
        "free generation",
        ("causal", "prefix"),
    ),
    "continuation": Need(
        "labels",
        "labels of pairs",
        "examples",
        "Examples",
        LITTLE_LABELS,
        "judging a next sentence (by label or by likelihood)",
        ("pair", "causal", "prefix"),
    ),
    "reconstruction": Need(
        "whole",
        "whole texts to reproduce",
        "examples",
        "Examples",
        LITTLE_WHOLE,
        "restoring a corrupted text",
        ("reconstruction",),
    ),
}


def amount(traits: Traits, need: Need) -> float:
    """The share of an objective or a mixture that meets a need."""
    return getattr(traits, need.trait)


def carriers(mixture: MixtureTraits, need: Need) -> tuple[str, ...]:
    """The objectives that mostly meet a need; if none does, those that partly do."""
    supply = {name: amount(traits, need) for name, traits in mixture.objectives.items()}
    mostly = tuple(name for name, share in supply.items() if share > 0.5)
    return mostly or tuple(name for name, share in supply.items() if share > 0)


def percent(share: float) -> str:
    """`12.3 %`; two decimals below one percent."""
    digits = 2 if 0 < abs(share) < 0.01 else 1
    written = f"{100 * share:.{digits}f}"
    return f"{written.removesuffix('.0')} %"


def title(failure: Failure) -> str:
    """`Long-form drift`: the long name, capitalised."""
    return LONG_NAMES[failure].capitalize()


def listed(words: Iterable[str], *, last: str = "and") -> str:
    """`a, b and c`, or with another word than "and"."""
    *others, end = list(words) or ["none"]
    return f"{', '.join(others)} {last} {end}" if others else end


def ordered(
    failures: Iterable[Failure], wanted: Sequence[Failure]
) -> tuple[Failure, ...]:
    """The wanted failures that are among some, in the order of `wanted`."""
    chosen = set(failures)
    return tuple(failure for failure in wanted if failure in chosen)


def figures(
    unit: Unit, source: str, values: Mapping[str, float | int]
) -> list[Evidence]:
    """Evidence of one unit and source, by what each figure measures."""
    return [Evidence(what, float(v), unit, source) for what, v in values.items()]


def symptoms(
    failure: Failure, scores: Sequence[Score], complaints: Sequence[Complaint] = ()
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
            evidence += figures(
                "count", source, {f"{failure}: texts that failed": c.count}
            )
    return evidence
