"""Scores on published tests as a table in Markdown: a row an arm and point."""

from collections.abc import Sequence

import numpy as np

from ..probes.published.published_test import PublishedScore
from .records import Record


def markdown(records: Sequence[Record]) -> list[str]:
    """The lines of the table; none if no published test was measured.

    Args:
      records: of the runs that count. Each figure is the mean over seeds, with their
        range; `*` marks a mode that the mix does not train.
    """
    columns = list(
        dict.fromkeys(
            _column(score)
            for record in records
            for score in record.published
            if score.level == "all"
        )
    )
    if not columns:
        return []
    points: dict[tuple[str, int], list[Record]] = {}
    for record in records:
        if record.published:
            points.setdefault((record.mix, record.point), []).append(record)
    return [
        _line("mix", "runs", "tokens", *columns),
        "|---" * (len(columns) + 3) + "|",
        _line("*untrained*", "", "", *(_untrained(records, c) for c in columns)),
        *(
            _line(
                f"`{mix}`",
                f"{len(runs)}",
                f"{np.mean([r.tokens for r in runs]) / 1e6:.2f} M",
                *(_cell(runs, column) for column in columns),
            )
            for (mix, _), runs in sorted(points.items())
        ),
    ]


def _column(score: PublishedScore) -> str:
    metric = "" if score.metric == "accuracy" else f" {score.metric}"
    return f"{score.test}{metric}, {score.mode}"


def _scores(records: Sequence[Record], column: str) -> list[PublishedScore]:
    return [
        score
        for record in records
        for score in record.published
        if score.level == "all" and _column(score) == column
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


def _line(*cells: str) -> str:
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"
