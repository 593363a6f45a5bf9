"""The results of a diagnosis, as tables for the terminal."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from ...diagnosis.causes.cause import Cause
from ...diagnosis.findings.headlines import headlines
from ...diagnosis.findings.severity import fails, reference
from ...diagnosis.revision.limited import Limited
from ...diagnosis.revision.propose import Change
from ...diagnosis.scores.score import Score
from ...diagnosis.wording import listed, percent


def score_table(scores: Sequence[Score]) -> Table:
    """The main scores, each beside what it has to beat; the memo has every score."""
    table = Table(
        title="Main scores",
        caption="95 % bootstrap intervals over documents. ✗: reaches what it has to "
        "beat, chance or the best shallow baseline. The memo has every score.",
    )
    for column in ("probe", "of", "metric"):
        table.add_column(column)
    for column in ("value", "95 % interval", "to beat"):
        table.add_column(column, justify="right", no_wrap=True)
    last_failure = last_probe = None
    for score in headlines(scores):
        if last_failure not in (None, score.failure):
            table.add_section()
        new = score.probe != last_probe
        last_failure, last_probe, target = score.failure, score.probe, reference(score)
        table.add_row(
            score.probe if new else "",
            score.kind,
            score.metric,
            f"{score.value:.3f}" + (" [red]✗[/]" if fails(score) else "  "),
            f"{score.low:.3f} – {score.high:.3f}",
            "–" if target is None else f"{target:.3f}",
        )
    return table


def cause_table(causes: Sequence[Cause]) -> Table:
    """The causes, in the order in which they were checked."""
    table = Table(title="Causes")
    for column in ("cause", "verdict", "failures"):
        table.add_column(column)
    for cause in causes:
        name = f"{cause.number} {cause.name}"
        table.add_row(name, cause.verdict, ", ".join(cause.failures))
    return table


def change_table(changes: Sequence[Change]) -> Table:
    """The recommended change of each objective."""
    table = Table(title="Recommended shares of the loss")
    for column in ("objective", "change", "for"):
        table.add_column(column)
    for column in ("before", "after"):
        table.add_column(column, justify="right")
    for change in changes:
        before, after = map(percent, change.loss)
        reason = listed(change.failures or ["room"])
        table.add_row(escape(change.name), change.action, reason, before, after)
    return table


def limit_table(limited: Limited) -> Table:
    """What each limit costs: the loss against each failure without it and within."""
    table = Table(title="What the limits cost: loss that acts on each failure")
    for column in ("limit", "failure"):
        table.add_column(column)
    for column in ("without limits", "within"):
        table.add_column(column, justify="right", no_wrap=True)
    for cost in limited.costs:
        lost = cost.lost()
        for failure, (before, after) in lost.items():
            table.add_row(cost.limit, failure, percent(before), percent(after))
        if not lost:
            table.add_row(cost.limit, "none", "–", "–")
    return table
