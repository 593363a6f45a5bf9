"""The results of a study of branches as tables in Markdown, one a budget."""

from collections.abc import Sequence

from .adaptation import LEAST_RUNS, MOST_LOSS, Budget, Verdict
from .gates import Refusal
from .markdown import interval, table
from .measures import measures, primary
from .records import Record
from .study_table import change_text, judged


def markdown(
    budgets: Sequence[tuple[str, Budget]],
    *,
    refusals: Sequence[Refusal],
    remarks: Sequence[str],
    command: str,
) -> str:
    """Every budget's tables and verdicts, then what does not count.

    Args:
      budgets: each with its title.
      refusals: runs that do not count.
      remarks: sentences on the data and on what was not measured.
      command: that ran the study.
    """
    lines = [_INTRODUCTION, "", f"    {command}"]
    for title, budget in budgets:
        lines += ["", f"## {title}", "", *_primary(budget), "", *_others(budget), ""]
        lines += [f"- {spoken(verdict)}" for verdict in budget.verdicts]
    lines += ["", "## What does not count", ""]
    lines += [
        f"- `{r.mix}`, seed {r.seed}: {'; '.join(r.reasons)}." for r in refusals
    ] or ["Every run passed its gates."]
    if remarks:
        lines += ["", "## Remarks", "", *(f"- {remark}" for remark in remarks)]
    return "\n".join(lines) + "\n"


_INTRODUCTION = (
    "Brackets after a score are the envelope of the seeds' 95 % bootstrap intervals "
    "over documents; after a difference (Δ) from the first row, paired by seed, the "
    "wider ends of its 95 % intervals by a bootstrap over seeds and items and by "
    "Student's over seeds. Bold: better than the first row, by the difference; with "
    "envelopes apart where a single seed has none. Own loss: held-out loss of the "
    "incumbent's objectives over that of the first row at the same seed, mean and "
    "range over seeds (lower is better)."
)


def not_measured(records: Sequence[Record]) -> list[str]:
    """What could not be measured, once each."""
    reasons = dict.fromkeys(why for record in records for why in record.left_out)
    return [f"Not measured: {why}" for why in reasons]


def _primary(budget: Budget) -> list[str]:
    """A row an arm: the primary score of each failure, and its difference."""
    first = [primary()[failure] for failure in judged(budget.effects)]
    head = [cell for m in first for cell in (f"{m.probe}: {m.metric}", "Δ")]
    verdicts = {verdict.mix: verdict for verdict in budget.verdicts}
    rows = []
    for name, mix in budget.effects.mixes.items():
        cells = []
        for measure in first:
            effect = measure.of(mix)
            verdict = verdicts.get(name)
            bold = verdict is not None and bool(verdict.better[measure.failure])
            cells.append(f"**{interval(effect)}**" if bold else interval(effect))
            change = mix.difference(*measure[:3])
            cells.append("" if change is None else change_text(change))
        runs = f"{budget.runs[name]}"
        rows.append((f"`{name}`", runs, *cells, interval(mix.own_loss)))
    return table(("arm", "runs", *head, "own loss"), rows)


def _others(budget: Budget) -> list[str]:
    """The other measures."""
    first = primary().values()
    measured = [
        m
        for m in measures()
        if m not in first and any(m.of(mix) for mix in budget.effects.mixes.values())
    ]
    if not measured:
        return []
    rows = (
        (f"`{name}`", *(interval(m.of(mix)) for m in measured))
        for name, mix in budget.effects.mixes.items()
    )
    return table(("arm", *(f"{m.probe}: {m.metric}" for m in measured)), rows)


def spoken(verdict: Verdict) -> str:
    """What was asked for, and what became of it: a sentence in Markdown."""
    better = [failure for failure, is_better in verdict.better.items() if is_better]
    unknown = [f for f, is_better in verdict.better.items() if is_better is None]
    loss = verdict.own_loss
    cost = "own loss not measured" if loss is None else f"own loss {loss.value:.3f}"
    words = f"better on {', '.join(better) or 'no failure'}"
    if not verdict.better:
        words = "no failure was measured of the incumbent"
    if unknown:
        words += f"; {', '.join(unknown)} not measured"
    if verdict.runs < LEAST_RUNS:
        words += f"; {verdict.runs} run counts, and {LEAST_RUNS} are needed"
    met = "met" if verdict.met else "not met"
    return (
        f"`{verdict.mix}`: **{met}** (every failure better, own loss at most "
        f"{MOST_LOSS:.2f}): {words}; {cost}."
    )
