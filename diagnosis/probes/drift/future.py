"""Long-form drift, (e): whether this very checkpoint sees text that is yet to come."""

from collections.abc import Sequence

from ...audit.audit import Verdict
from ...scores.score import Score


def leak_scores(verdicts: Sequence[Verdict]) -> list[Score]:
    """The leak audit's verdicts on a checkpoint, as scores.

    The value is the share of pairs of slots of which one depends on the other's token
    and must not. It is exact, so there is no interval around it; anything above 0 is a
    fault of the program, not of the training.
    """
    return [
        Score(
            failure="drift",
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
