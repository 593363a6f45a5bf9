"""What studies show of single objectives, and which of a proposal others replace."""

from collections.abc import Sequence

from ..results.effects import Effects, comparisons_of, shown
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
    found = comparisons_of(study, objective, failure)
    if not found:
        return None
    return any(shown(each) == "better" for _, scores in found for each in scores)


def carries(study: Effects, objective: str, failure: str) -> bool:
    """Whether every comparison shows it, alone and left out, by the primary score.

    Arguments are those of `gains`.
    """
    found = comparisons_of(study, objective, failure)
    return bool(found) and all(shown(scores[0]) == "better" for _, scores in found)


def replaced(
    parts: Sequence[Part], studies: Sequence[Effects]
) -> tuple[list[Part], dict[str, str]]:
    """The parts that stay, and by failure why others go: another one betters it.

    What counts is the nearest study that compared mixes with and without the objective
    of the part: it must show no gain of it there, by any score, and another part's
    objective must carry the failure. A part that acts on several may go if it may go of
    each.

    Args:
      parts: of a proposal.
      studies: the nearest first.
    """
    left = list(parts)
    found: dict[str, str] = {}
    needed = set[str]()
    for part in parts:
        if part.objective.name in needed:  # what another was left out for stays
            continue
        others = [other for other in left if other is not part]
        reasons: dict[str, str] = {}
        carriers: list[str] = []
        for failure in part.failures:
            if carried := _carried(part, failure, others, studies):
                names, reasons[failure] = carried
                carriers += names
        if len(reasons) == len(part.failures):
            found |= reasons
            needed |= set(carriers)
            left = others
    return left, found


def _carried(
    part: Part, failure: str, others: Sequence[Part], studies: Sequence[Effects]
) -> tuple[list[str], str] | None:
    """The objectives that make a part needless against a failure, and why; or None."""
    name = part.objective.base
    asked = (s for s in studies if gains(s, name, failure) is not None)
    study = next(asked, None)
    if study is None or gains(study, name, failure):
        return None
    every = [other.objective for other in others]
    carriers = [one for one in every if carries(study, one.base, failure)]
    if not carriers:
        return None
    return [objective.name for objective in carriers], (
        f"{listed(f'`{objective.base}`' for objective in carriers)} "
        f"{'betters' if len(carriers) == 1 else 'better'} it too in study "
        f"`{study.setup.name}`, where mixes with `{name}` show no gain over those "
        "without it."
    )
