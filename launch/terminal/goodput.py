"""Where the time of a run went, as a line and as a table."""

from rich.table import Table

from ..runs.goodput import Summary

MEANING = {
    "start_up": "imports, checks, and whatever else comes before the first step",
    "restore": "reading a checkpoint, or making the first state",
    "compile": "compiling the step, and reading the first batches",
    "compute": "steps that count",
    "data": "waiting for a batch while the devices are idle",
    "checkpoint": "steps held up by a save, and the last one's commit",
    "evaluation": "held-out losses",
    "lost": "steps that were computed again after a stop",
    "stopped": "between two starts, and what a kill left unwritten",
}
"""What each part of the time is."""


def goodput_line(found: Summary) -> str:
    """`Goodput 91.2 % of 1,234 s in 3 starts: compute 91.2 %, compile 4.0 %, …`."""
    parts = sorted(found.seconds.items(), key=lambda part: -part[1])
    shares = ", ".join(
        f"{name.replace('_', '-')} {seconds / found.wall:.1%}"
        for name, seconds in parts
        if seconds > 0
    )
    starts = f"{found.starts} start" + ("s" if found.starts != 1 else "")
    again = f"; {found.lost_steps:,} steps again" if found.lost_steps else ""
    return (
        f"Goodput {found.goodput:.1%} of {found.wall:,.0f} s in {starts}: "
        f"{shares}{again}."
    )


def goodput_table(found: Summary) -> Table:
    """Seconds and share of each part; they add up to the wall time."""
    starts = f"{found.starts:,} start(s), {found.lost_steps:,} step(s) computed again"
    table = Table(title="Where the time went", caption=starts)
    table.add_column("part", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    table.add_column("what it is")
    for name, seconds in found.seconds.items():
        share = seconds / found.wall if found.wall else 0.0
        words = name.replace("_", "-"), f"{seconds:,.1f}", f"{share:.2%}"
        table.add_row(*words, MEANING[name])
    table.add_section()
    table.add_row("wall time", f"{found.wall:,.1f}", "100.00%", "")
    return table
