"""Future dependence: whether this checkpoint sees text that it must not."""

from collections.abc import Sequence

from ...audit.audit import Verdict
from ...scores.score import Score


def leak_scores(verdicts: Sequence[Verdict]) -> list[Score]:
    """The leak audit's verdicts on a checkpoint, as scores.

    The value is the share of pairs of slots with a dependence that is not allowed. It
    is exact, so its interval has no width; any value above 0 is a bug, not a failure of
    training.
    """
    return [
        Score(
            failure="",
            probe="future dependence",
            kind=verdict.objective,
            metric="leaking pairs",
            value=verdict.leaks / verdict.pairs_checked,
            low=verdict.leaks / verdict.pairs_checked,
            high=verdict.leaks / verdict.pairs_checked,
            chance=0.0,
            better="lower",
            mode=verdict.objective,
            trained=True,
            baselines={},
            items=verdict.pairs_checked,
            documents=0,
        )
        for verdict in verdicts
    ]
