"""What studies show of single objectives, and which of a proposal do nothing there."""

from collections.abc import Collection, Mapping, Sequence

from ..results.effects import Effects
from ..wording import listed
from .revision import Part


def betters(study: Effects, objective: str, failure: str) -> bool | None:
    """Whether a study's comparisons show that an objective betters a failure.

    One score of one comparison suffices, whose interval is on the better side of zero.

    Args:
      study: of mixes that differ in one objective.
      objective: its name without variant.
      failure: that is scored.

    Returns:
      None if the study has no such comparison.
    """
    found = [
        difference.low > 0 if difference.better == "higher" else difference.high < 0
        for comparison in study.comparisons
        for difference in comparison.differences
        if (comparison.objective, difference.failure) == (objective, failure)
    ]
    return any(found) if found else None


def idle(
    parts: Sequence[Part],
    studies: Sequence[Effects],
    *,
    without: Collection[str] = (),
) -> Mapping[str, str]:
    """The failures whose part does nothing where another part does, and why.

    What counts is the nearest study that compared mixes with and without the objective.
    A part stays if it shows an effect, or if no other part shows one on its failure.

    Args:
      parts: of a proposal.
      studies: the nearest first.
      without: objectives that may not stay, so that nothing is left to them.
    """
    found: dict[str, str] = {}
    needed = set[str]()
    for part in parts:
        name, failure = part.objective.base, part.failure
        if failure in needed:  # what another was left out for stays
            continue
        asked = (s for s in studies if betters(s, name, failure) is not None)
        study = next(asked, None)
        if study is None or betters(study, name, failure):
            continue
        doing = [
            other
            for other in parts
            if other.failure not in (failure, *found)
            if other.objective.base not in without
            if betters(study, other.objective.base, failure)
        ]
        if doing:
            needed |= {other.failure for other in doing}
            found[failure] = (
                f"{listed(f'`{other.objective.base}`' for other in doing)} "
                f"{'betters' if len(doing) == 1 else 'better'} it too in study "
                f"`{study.setup.name}`, where mixes with and without `{name}` show "
                "no difference."
            )
    return found
