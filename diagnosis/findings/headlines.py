"""The main scores among the many of a battery."""

from collections.abc import Sequence

from ..failures.failure import Failure
from ..failures.registry import failures
from ..scores.score import Score


def headlines(scores: Sequence[Score]) -> list[Score]:
    """The main scores of every probe, failure by failure.

    A probe is represented by its score on all items, or by those of each kind if it has
    none or its failure says so (`Failure.by_kind`); of corruptions at several rates, by
    those of the middle one.
    """
    chosen = []
    for failure in failures().values():
        of_failure = [score for score in scores if score.failure == failure.name]
        for probe in dict.fromkeys(score.probe for score in of_failure):
            of_probe = [score for score in of_failure if score.probe == probe]
            chosen += _of_probe(failure, of_probe)
    return chosen


def _of_probe(failure: Failure, scores: Sequence[Score]) -> list[Score]:
    probe = scores[0].probe
    metrics = failure.headlines.get(probe)
    selected = [s for s in scores if metrics is None or s.metric in metrics]
    rates = list(dict.fromkeys(rate for s in selected if (rate := _rate(s))))
    if rates:
        middle = rates[len(rates) // 2]
        return [s for s in selected if _rate(s) == middle]
    overall = [s for s in selected if s.kind in ("all", "texts")]
    if not overall or probe in failure.by_kind:
        return selected or list(scores)
    return overall


def _rate(score: Score) -> str:
    """`30 %` of the kind `mask, 30 %`; "" without a rate."""
    rate = score.kind.rpartition(", ")[2]
    return rate if rate.endswith(" %") else ""
