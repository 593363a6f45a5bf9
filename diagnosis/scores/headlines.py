"""The scores that a reader needs first, of the many that a battery gives."""

from collections.abc import Mapping, Sequence

from .score import FAILURES, Score

METRICS: Mapping[str, tuple[str, ...]] = {
    "free generation": ("contradiction rate", "restatements"),
    "continuation, by label": ("AUC",),
    "continuation, by likelihood": ("AUC",),
    "restoration": ("edit distance", "number and entity F1", "fluent but unfaithful"),
}
"""Of a probe that has several; of every other one, all that it has."""

APART = ("continuation, by label", "continuation, by likelihood")
"""Probes whose kinds are all read: to tell topics apart is not to tell order."""


def headlines(scores: Sequence[Score]) -> list[Score]:
    """The scores to read first; every probe has some, in the order of `FAILURES`.

    Of a probe that has a score of all its items that one, else those of each kind, but
    of `APART` both; of corruptions at several rates all of the middle one.
    """
    found = []
    for failure in FAILURES:
        mine = [score for score in scores if score.failure == failure]
        for probe in dict.fromkeys(score.probe for score in mine):
            found += _of_probe([score for score in mine if score.probe == probe])
    return found


def _of_probe(scores: Sequence[Score]) -> list[Score]:
    metrics = METRICS.get(scores[0].probe)
    told = [s for s in scores if metrics is None or s.metric in metrics]
    rates = list(dict.fromkeys(rate for s in told if (rate := _rate(s))))
    if rates:
        middle = rates[len(rates) // 2]
        return [s for s in told if _rate(s) == middle]
    overall = [s for s in told if s.kind in ("all", "texts")]
    if not overall or scores[0].probe in APART:
        return told or list(scores)
    return overall


def _rate(score: Score) -> str:
    """`30 %` of the kind `mask, 30 %`; "" where it is of no rate."""
    rate = score.kind.rpartition(", ")[2]
    return rate if rate.endswith(" %") else ""
