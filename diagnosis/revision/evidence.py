"""What studies show of single objectives, and which of a proposal others replace."""

from collections.abc import Mapping, Sequence

from ..results.effects import Difference, Effects
from ..wording import listed
from .revision import Part


def gains(study: Effects, objective: str, failure: str) -> bool | None:
    """Whether a study shows that an objective betters a failure, by any score.

    Args:
      study: of mixes that differ in one objective.
      objective: its name without variant.
      failure: that is scored.

    Returns:
      None if no two of its mixes were compared for it.
    """
    found = _differences(study, objective, failure)
    return any(_gain(each) for scores in found for each in scores) if found else None


def carries(study: Effects, objective: str, failure: str) -> bool:
    """Whether every comparison shows it, alone and left out, by the primary score.

    Arguments are those of `gains`.
    """
    found = _differences(study, objective, failure)
    return bool(found) and all(_gain(scores[0]) for scores in found)


def replaced(parts: Sequence[Part], studies: Sequence[Effects]) -> Mapping[str, str]:
    """The failures whose own part may go, since another one betters them, and why.

    What counts is the nearest study that compared mixes with and without the objective
    of the part: it must show no gain of it there, by any score, and another part's
    objective must carry the failure.

    Args:
      parts: of a proposal.
      studies: the nearest first.
    """
    found: dict[str, str] = {}
    needed = set[str]()
    for part in parts:
        name, failure = part.objective.base, part.failure
        if failure in needed:  # what another was left out for stays
            continue
        asked = (s for s in studies if gains(s, name, failure) is not None)
        study = next(asked, None)
        if study is None or gains(study, name, failure):
            continue
        carriers = [
            other
            for other in parts
            if other.failure not in (failure, *found)
            if carries(study, other.objective.base, failure)
        ]
        if carriers:
            needed |= {other.failure for other in carriers}
            found[failure] = (
                f"{listed(f'`{other.objective.base}`' for other in carriers)} "
                f"{'betters' if len(carriers) == 1 else 'better'} it too in study "
                f"`{study.setup.name}`, where mixes with `{name}` show no gain over "
                "those without it."
            )
    return found


def _differences(
    study: Effects, objective: str, failure: str
) -> list[list[Difference]]:
    """The scores of a failure, by comparison; the primary one first."""
    each = [
        [d for d in comparison.differences if d.failure == failure]
        for comparison in study.comparisons
        if comparison.objective == objective
    ]
    return [scores for scores in each if scores]


def _gain(difference: Difference) -> bool:
    """Whether the interval is on the better side of zero."""
    if difference.better == "higher":
        return difference.low > 0
    return difference.high < 0
