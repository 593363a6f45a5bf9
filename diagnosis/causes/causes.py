"""Why a model fails: five causes, checked in order, each overriding those after it.

A leak invalidates every other figure; a mode that was never trained fails whatever the
mix; and so on, down to the mix itself. No publication links the rates of objectives to
these failures directly: for the fourth and fifth cause the link is a hypothesis, which
`sightline study` tests.
"""

from collections.abc import Callable, Mapping, Sequence

from ...objectives.errors import UsageError
from ..audit.audit import Verdict
from ..failures.failure import Failure
from ..failures.registry import get, names
from ..findings.complaints import Complaint
from ..scores.score import Score
from ..traits.document_fit import Packing
from ..traits.traits import MixtureTraits
from . import rules
from .cause import Cause

RULES: Mapping[str, Callable[[rules.Case], rules.Finding]] = {
    "information leak": rules.leak,
    "mode the model was never trained in": rules.untrained_mode,
    "packing and truncation": rules.truncation,
    "share of the loss": rules.loss_share,
    "the objective mix itself": rules.objective_mix,
}
"""The rule of each cause, in the order in which they are checked."""


def causes(
    mixture: MixtureTraits,
    *,
    audit: Sequence[Verdict] | None = None,
    packing: Packing | None = None,
    scores: Sequence[Score] | None = None,
    complaints: Sequence[Complaint] | None = None,
    failures: Sequence[str] | None = None,
) -> tuple[Cause, ...]:
    """The five causes, in order: leak, mode, packing, share of the loss, mix.

    Args:
      mixture: its traits.
      audit: of the checkpoint; None without one.
      packing: of the corpus; None if it was not read.
      scores: of the probes; None without a checkpoint.
      complaints: of the team; if given, failures that are not named, or that
        reviewers looked for and never found, are left out.
      failures: to explain; None for all.

    Returns:
      Each with its verdict, the failures that it explains, and its evidence.

    Raises:
      ValueError: no failure is left to explain.
    """
    asked = names() if failures is None else failures
    if complaints is not None:
        reported = {c.failure for c in complaints if c.count != 0}
        asked = [name for name in asked if name in reported]
    wanted = tuple(get(name) for name in names() if name in asked)
    if not wanted:
        raise UsageError(
            "there is no failure to explain: none was asked for that reviewers found; "
            f"name one of {', '.join(names())}, or leave out the findings."
        )
    relevant = tuple(s for s in scores or () if s.failure in asked)
    case = rules.Case(mixture, wanted, audit or (), packing, relevant, complaints or ())
    return tuple(
        _cause(number, name, rule(case), wanted)
        for number, (name, rule) in enumerate(RULES.items(), 1)
    )


def _cause(
    number: int, name: str, finding: rules.Finding, wanted: Sequence[Failure]
) -> Cause:
    could = wanted if finding.could is None else finding.could
    return Cause(
        number,
        name,
        finding.verdict,
        tuple(finding.reasons) or tuple(failure.name for failure in could),
        finding.statement,
        tuple(finding.evidence),
        finding.reasons,
    )
