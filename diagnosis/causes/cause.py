"""What a cause of failures is, and from which figures on one counts as found."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from ..scores.complaints import LONG_NAMES, Complaint
from ..scores.headlines import headlines
from ..scores.score import Failure, Score
from ..traits.forms import AskedMode
from ..traits.objective_traits import Traits
from ..traits.traits import By, MixtureTraits

NEVER = 0.01
"""Share of the Examples below which a mode counts as never trained: by convention. A
shipped mixture that trains a mode at all gives it one Example in twenty or more."""

OUT_OF_SIGHT = 0.25
"""Share of tokens from whose window the document's start is gone, above which drift is
put down to it: by convention. One token in four then cannot see the first mentions."""

LITTLE_ONWARD = 0.1
"""Share of the loss on text from the strict past below which there is little: half of
the about 20 % that UL2 prefers for its sequential denoiser (Tay et al. 2022, §4)."""

LITTLE_LABELS = 0.02
"""Share of the loss on labels of pairs below which they are drowned: by convention, an
order above the 0.13 % that one label gets of a plain token sum."""

LITTLE_WHOLE = 0.05
"""Share of the loss on whole texts to reproduce below which there is little: by
convention, as no source gives one; a revision of the mixture starts above it."""

LITTLE_ORDER = 0.1
"""Share of negative pairs whose texts are of one document below which order is not
tested: by convention. With none, order is judged at chance (52.0 %, ALBERT table 5)."""

ONE_SIDED = 0.05
"""Share of either label below which answering with the other one is nearly right."""

CauseVerdict = Literal["found", "ruled out", "not measured"]

Unit = Literal["share", "tokens", "count", "nats", "score"]


class Evidence(NamedTuple):
    """A figure that a cause stands on.

    Attributes:
      what: the figure says.
      value: in `unit`.
      unit: a share is within [0, 1].
      source: where it is from: "probe minimal pairs", "4,000 packed examples".
    """

    what: str
    value: float
    unit: Unit
    source: str


class Cause(NamedTuple):
    """Whether something is a cause of failures.

    Attributes:
      number: in the order in which causes are checked, from 1.
      name: what may be the cause.
      verdict: whether it is.
      failures: that it explains, if it is found; else those that it could explain.
      statement: the verdict in words, from the figures.
      evidence: the figures.
      reasons: the verdict in one clause for each failure that a found cause explains.
    """

    number: int
    name: str
    verdict: CauseVerdict
    failures: tuple[Failure, ...]
    statement: str
    evidence: tuple[Evidence, ...]
    reasons: Mapping[Failure, str] = {}


class Need(NamedTuple):
    """What a mixture has to have for a failure not to follow from it.

    Attributes:
      trait: of the objectives that teach it; a field of `Traits`.
      name: of what is needed.
      by: the share in which it is looked for.
      unit: what that is a share of.
      little: share of the loss below which there is little.
      use: what a model is asked where the failure shows.
      modes: in which it can be asked.
    """

    trait: Literal["onward", "labels", "whole"]
    name: str
    by: By
    unit: str
    little: float
    use: str
    modes: tuple[AskedMode, ...]


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
    """How much of a need an objective, or a mixture, answers; a share."""
    return getattr(traits, need.trait)


def carriers(mixture: MixtureTraits, need: Need) -> tuple[str, ...]:
    """The objectives that mostly answer a need; if there is none, any that do."""
    found = {name: amount(traits, need) for name, traits in mixture.objectives.items()}
    mostly = tuple(name for name, share in found.items() if share > 0.5)
    return mostly or tuple(name for name, share in found.items() if share > 0)


def percent(share: float) -> str:
    """`12.3 %`; two digits behind the point below one percent."""
    digits = 2 if 0 < abs(share) < 0.01 else 1
    written = f"{100 * share:.{digits}f}"
    return f"{written.removesuffix('.0')} %"


def named(failure: Failure) -> str:
    """`Long-form drift`, to begin a sentence."""
    return LONG_NAMES[failure].capitalize()


def listed(words: Iterable[str], *, last: str = "and") -> str:
    """`a, b and c`, or with another word before the last."""
    *others, end = list(words) or ["none"]
    return f"{', '.join(others)} {last} {end}" if others else end


def ordered(
    failures: Iterable[Failure], wanted: Sequence[Failure]
) -> tuple[Failure, ...]:
    """Those failures that are wanted, in the order of the wanted ones."""
    found = set(failures)
    return tuple(failure for failure in wanted if failure in found)


def figures(
    unit: Unit, source: str, values: Mapping[str, float | int]
) -> list[Evidence]:
    """Evidence of one unit and source, by what each figure says."""
    return [Evidence(what, float(v), unit, source) for what, v in values.items()]


def shown(
    failure: Failure, scores: Sequence[Score], complaints: Sequence[Complaint] = ()
) -> list[Evidence]:
    """How the failure shows: in the main scores, and in what reviewers counted."""
    found: list[Evidence] = []
    for s in headlines([s for s in scores if s.failure == failure]):
        what = f"{failure}: {s.kind}, {s.metric}, asked in {s.mode} mode"
        if not math.isnan(s.value):
            found += figures("score", f"probe {s.probe}", {what: s.value})
    for c in complaints:
        if c.failure == failure and c.count is not None and c.total is not None:
            source = f"reviewers, of {c.total:,} texts"
            found += figures(
                "count", source, {f"{failure}: texts that failed": c.count}
            )
    return found
