"""Why a model fails: five causes, checked in order, each overriding those after it.

A leak invalidates every other figure; a mode that was never trained fails whatever the
mix; and so on, down to the mix itself. No publication links the rates of objectives to
these failures directly: for the fourth and fifth cause the link is a hypothesis, which
`sightline study` tests.
"""

from collections.abc import Callable, Mapping, Sequence

from ...objectives.errors import UsageError
from ..audit.audit import Verdict
from ..scores.complaints import Complaint
from ..scores.score import FAILURES, Failure, Score
from ..traits.document_fit import Packing
from ..traits.traits import MixtureTraits
from . import rules
from .cause import Cause, ordered

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
    failures: Sequence[Failure] = FAILURES,
) -> tuple[Cause, ...]:
    """The five causes, in order: leak, mode, packing, share of the loss, mix.

    Args:
      mixture: its traits.
      audit: of the checkpoint; None without one.
      packing: of the corpus; None if it was not read.
      scores: of the probes; None without a checkpoint.
      complaints: of the team; if given, failures that are not named, or that
        reviewers looked for and never found, are left out.
      failures: to explain.

    Returns:
      Each with its verdict, the failures that it explains, and its evidence.

    Raises:
      ValueError: no failure is left to explain.
    """
    if complaints is not None:
        reported = {c.failure for c in complaints if c.count != 0}
        failures = [failure for failure in failures if failure in reported]
    wanted = ordered(failures, FAILURES)
    if not wanted:
        raise UsageError(
            "there is no failure to explain: none was asked for that reviewers found; "
            f"name one of {', '.join(FAILURES)}, or leave out the findings."
        )
    relevant = tuple(s for s in scores or () if s.failure in wanted)
    case = rules.Case(mixture, wanted, audit or (), packing, relevant, complaints or ())
    findings = [(name, rule(case)) for name, rule in RULES.items()]
    return tuple(
        Cause(
            number,
            name,
            finding.verdict,
            ordered(finding.reasons or finding.could, wanted),
            finding.statement,
            tuple(finding.evidence),
            finding.reasons,
        )
        for number, (name, finding) in enumerate(findings, 1)
    )
