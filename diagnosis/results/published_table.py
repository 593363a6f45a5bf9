"""Scores on published tests as tables in Markdown: of each mix, and of each two."""

import itertools
import math
from collections.abc import Sequence

import numpy as np

from ..probes.published.published_test import PublishedScore
from .effects import Effect
from .markdown import table
from .measures import combined
from .paired import crossed_interval, same_seeds
from .records import Record


def markdown(records: Sequence[Record]) -> list[str]:
    """The lines of the table; none if no published test was measured.

    Args:
      records: of the runs that count. Each figure is the mean over seeds, with their
        range; `*` marks a mode that the mix does not train.
    """
    columns = measured(records)
    if not columns:
        return []
    points: dict[tuple[str, int], list[Record]] = {}
    for record in records:
        if record.published:
            points.setdefault((record.mix, record.point), []).append(record)
    rows = [
        ("*untrained*", "", "", *(_untrained(records, c) for c in columns)),
        *(
            (
                f"`{mix}`",
                f"{len(runs)}",
                f"{np.mean([r.tokens for r in runs]) / 1e6:.2f} M",
                *(_cell(runs, column) for column in columns),
            )
            for (mix, _), runs in sorted(points.items())
        ),
    ]
    return table(("mix", "runs", "tokens", *columns), rows)


def differences(records: Sequence[Record]) -> list[str]:
    """The lines of a table of each two mixes at their last points; none without any.

    Of tests of minimal pairs alone, by seed and paradigm; bold where the interval is on
    one side of zero. A paradigm counts if every run that is paired has a score of it;
    where not all do, the cell says how many.

    Args:
      records: of the runs that count.
    """
    scored = [record for record in records if record.published]
    last: dict[str, list[Record]] = {}
    for record in sorted(scored, key=lambda record: -record.point):
        runs = last.setdefault(record.mix, [])
        if not runs or runs[0].point == record.point:
            runs.append(record)
    mixes = [last[mix] for mix in dict.fromkeys(record.mix for record in scored)]
    columns = list(
        dict.fromkeys(c for runs in mixes for r in runs for c in _by_paradigm(r))
    )
    if not columns or len(mixes) < 2:
        return []
    rows = (
        (
            f"`{one[0].mix}` − `{other[0].mix}`",
            *(_difference(one, other, column) for column in columns),
        )
        for one, other in itertools.combinations(mixes, 2)
    )
    return table(("mixes", *columns), rows)


def measured(records: Sequence[Record]) -> list[str]:
    """The columns of the tables: each test in each mode, as in "BLiMP, causal"."""
    columns = (
        _column(score)
        for record in records
        for score in record.published
        if score.level == "all"
    )
    return list(dict.fromkeys(columns))


def effect(column: str, records: Sequence[Record]) -> Effect | None:
    """Combines runs of one mix at one budget, as `Measure.effect` does."""
    scores = _scores(records, column)
    if not scores or len(scores) < len(records):
        return None
    return combined("", scores[0].test, scores[0].metric, scores)


def _difference(one: Sequence[Record], other: Sequence[Record], column: str) -> str:
    runs = ((_by_paradigm(a), _by_paradigm(b)) for a, b in same_seeds(one, other))
    pairs = [(a[column], b[column]) for a, b in runs if column in a and column in b]
    scores = [values for pair in pairs for values in pair]
    names = dict.fromkeys(name for values in scores for name in values)
    kept = [n for n in names if all(math.isfinite(v.get(n, math.nan)) for v in scores)]
    if not kept:
        return "–"
    values = np.array([[a[name] - b[name] for name in kept] for a, b in pairs])
    cell = f"{values.mean():+.3f}"
    if min(values.shape) > 1:  # one seed, or one kind, tells nothing of others
        low, high = crossed_interval(values)
        cell = f"{cell} [{low:+.3f}, {high:+.3f}]"
        cell = f"**{cell}**" if low > 0 or high < 0 else cell
    some = f" ({len(kept)} of {len(names)} paradigms)"
    return cell if len(kept) == len(names) else cell + some


def _by_paradigm(record: Record) -> dict[str, dict[str, float]]:
    """By column, the value of each paradigm."""
    found: dict[str, dict[str, float]] = {}
    for score in record.published:
        if score.level == "paradigm":
            found.setdefault(_column(score), {})[score.kind] = score.value
    return found


def _column(score: PublishedScore) -> str:
    metric = "" if score.metric == "accuracy" else f" {score.metric}"
    return f"{score.test}{metric}, {score.mode}"


def _scores(records: Sequence[Record], column: str) -> list[PublishedScore]:
    """The scores of all questions; none of a test of which no question fits rows."""
    return [
        score
        for record in records
        for score in record.published
        if score.level == "all"
        and _column(score) == column
        and math.isfinite(score.value)
    ]


def _cell(records: Sequence[Record], column: str) -> str:
    scores = _scores(records, column)
    if not scores:
        return "–"
    values = [score.value for score in scores]
    trained = "" if all(score.trained for score in scores) else " *"
    return f"{np.mean(values):.3f} [{min(values):.3f}, {max(values):.3f}]{trained}"


def _untrained(records: Sequence[Record], column: str) -> str:
    known = [s.untrained for s in _scores(records, column) if s.untrained is not None]
    return f"{np.mean(known):.3f}" if known else "–"
