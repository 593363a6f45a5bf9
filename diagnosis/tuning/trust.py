"""Which model of a target is trusted, if any.

The rule: of the models whose cross-validated error is below that of a constant, with
its whole interval, the one with the least error is trusted. The intervals hold at 95 %
for all models together (Bonferroni). Where there is none, the table holds no evidence
that the components predict the target.
"""

from collections.abc import Mapping
from typing import NamedTuple

from .metrics import Draws, interval, ratio

RULE = (
    "trusted: the least cross-validated error among the models whose error is below "
    "that of a constant with its whole interval, at 95 % for all models together"
)

NO_EVIDENCE = "no evidence that the components predict this target"

COVERAGE = 0.95


class Verdict(NamedTuple):
    """The model that is trusted.

    Attributes:
      model: its name; None for no evidence.
      reason: in a sentence.
      not_apart: better than a constant as well, and no worse beyond chance.
    """

    model: str | None
    reason: str
    not_apart: tuple[str, ...] = ()


def trust(errors: Mapping[str, Draws], *, constant: str, span: float) -> Verdict:
    """Applies the rule.

    Args:
      errors: root mean square error of each model, and its bootstrap draws.
      constant: name of the model to beat.
      span: between the lowest and the highest score.
    """
    least = errors[constant]
    if span == 0:
        return Verdict(None, f"{NO_EVIDENCE}: every row has the same score.")
    others = {name: draws for name, draws in errors.items() if name != constant}
    coverage = 1 - (1 - COVERAGE) / len(others)
    ratios = {
        n: interval(ratio(e, least), coverage=coverage) for n, e in others.items()
    }
    best = min(ratios, key=lambda name: ratios[name].value)
    better = [name for name, of in ratios.items() if of.high < 1]
    if better:
        best = min(better, key=lambda name: ratios[name].value)
    best_ratio = ratios[best]
    measured = (
        f"{best_ratio.value:.3f} of a constant's ({100 * coverage:.4g} % interval "
        f"{best_ratio.low:.3f} – {best_ratio.high:.3f})"
    )
    if not better:
        return Verdict(None, f"{NO_EVIDENCE}: the error of {best} is {measured}.")
    ties = tuple(
        name
        for name in better
        if name != best and interval(errors[name] - errors[best]).low <= 0
    )
    reason = f"the error of {best} is {measured}, the least"
    reason += f"; not apart from it: {', '.join(ties)}." if ties else "."
    return Verdict(best, reason, ties)
