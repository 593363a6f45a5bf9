"""Why a model fails: five causes, checked in the order in which they shadow each other.

A leak makes every other figure meaningless; a mode that was never trained fails however
good the mix; and so on down to the mix itself. No source links the rates of objectives
to these failures directly: the links of the fourth and the fifth cause are hypotheses,
which `sightline study` tests.
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
      mixture: what it asks of a model.
      audit: of the checkpoint; None where there is none.
      packing: of the corpus; None where it was not read.
      scores: of the probes; None where there is no checkpoint.
      complaints: that the team has; a failure that reviewers looked for and never
        found is left out, and so is one that is not named.
      failures: to explain.

    Returns:
      Each with its verdict, the failures that it explains, and its evidence.

    Raises:
      ValueError: no failure is left to explain.
    """
    if complaints is not None:
        had = {c.failure for c in complaints if c.count != 0}
        failures = [failure for failure in failures if failure in had]
    wanted = ordered(failures, FAILURES)
    if not wanted:
        raise UsageError(
            "there is no failure to explain: none was asked for that reviewers found; "
            f"name one of {', '.join(FAILURES)}, or leave out the findings."
        )
    told = tuple(s for s in scores or () if s.failure in wanted)
    case = rules.Case(mixture, wanted, audit or (), packing, told, complaints or ())
    found = [(name, rule(case)) for name, rule in RULES.items()]
    return tuple(
        Cause(
            number,
            name,
            "found" if one.reasons else "ruled out" if one.measured else "not measured",
            ordered(one.reasons or one.could, wanted),
            one.statement,
            tuple(one.evidence),
            one.reasons,
        )
        for number, (name, one) in enumerate(found, 1)
    )
