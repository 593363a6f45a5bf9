"""What reports of published tests have in common: which scores, and what they beat."""

from collections.abc import Sequence

from .published import PublishedData
from .published_test import PublishedScore, PublishedTest


def shown_scores(
    scores: Sequence[PublishedScore], test: PublishedTest, *, level: str | None = None
) -> list[PublishedScore]:
    """The scores of all questions of a test, and of each kind at one level.

    Args:
      scores: of any tests.
      test: whose scores are shown.
      level: None, or none of the test's, for its coarsest. A level of a single kind
        says nothing more and is left out.
    """
    chosen = level if level in test.levels else test.levels[-1]
    own = [score for score in scores if score.test == test.name]
    kinds = {score.kind for score in own if score.level == chosen}
    levels = ("all", chosen) if len(kinds) > 1 else ("all",)
    return [score for score in own if score.level in levels]


def best_baseline(score: PublishedScore) -> tuple[str, float | None]:
    """The name and value of the best shallow baseline; None without any."""
    if not score.baselines:
        return "", None
    return max(score.baselines.items(), key=lambda item: item[1])


def beaten(score: PublishedScore) -> bool:
    """Whether a score's interval is better than all that it has to beat.

    That is chance, the shallow baselines and the untrained model.
    """
    others = [*score.baselines.values(), score.chance, score.untrained]
    references = [value for value in others if value is not None]
    if score.better == "higher":
        return all(score.low > value for value in references)
    return all(score.high < value for value in references)


def unread_sentence(data: PublishedData) -> str:
    """Which files belong to no test that is known; "" if all do."""
    if not data.unread:
        return ""
    shown = ", ".join(data.unread[:5])
    more = f", … ({len(data.unread):,} in all)" if len(data.unread) > 5 else ""
    return f"Not read, since no known test has their names or formats: {shown}{more}."
