"""The main scores among the many of a battery."""

from collections.abc import Mapping, Sequence

from .score import FAILURES, Score

METRICS: Mapping[str, tuple[str, ...]] = {
    "free generation": ("contradiction rate", "restatements"),
    "continuation, by label": ("AUC",),
    "continuation, by likelihood": ("AUC",),
    "restoration": ("edit distance", "number and entity F1", "fluent but unfaithful"),
}
"""Main metrics of probes that have several; of other probes all are."""

APART = ("continuation, by label", "continuation, by likelihood")
"""Probes of which every kind is shown: judging topic is not judging order."""


def headlines(scores: Sequence[Score]) -> list[Score]:
    """The main scores of every probe, in the order of `FAILURES`.

    A probe is represented by its score on all items, or by those of each kind if it has
    none or is in `APART`; of corruptions at several rates, by those of the middle one.
    """
    chosen = []
    for failure in FAILURES:
        of_failure = [score for score in scores if score.failure == failure]
        for probe in dict.fromkeys(score.probe for score in of_failure):
            chosen += _of_probe([score for score in of_failure if score.probe == probe])
    return chosen


def _of_probe(scores: Sequence[Score]) -> list[Score]:
    metrics = METRICS.get(scores[0].probe)
    selected = [s for s in scores if metrics is None or s.metric in metrics]
    rates = list(dict.fromkeys(rate for s in selected if (rate := _rate(s))))
    if rates:
        middle = rates[len(rates) // 2]
        return [s for s in selected if _rate(s) == middle]
    overall = [s for s in selected if s.kind in ("all", "texts")]
    if not overall or scores[0].probe in APART:
        return selected or list(scores)
    return overall


def _rate(score: Score) -> str:
    """`30 %` of the kind `mask, 30 %`; "" without a rate."""
    rate = score.kind.rpartition(", ")[2]
    return rate if rate.endswith(" %") else ""
