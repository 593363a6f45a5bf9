"""A run's state in the terminal."""

import time
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ...terminal.goodput import goodput_table
from .reading import RunStatus, Series
from .utilisation import Utilisation, step_seconds

_COLOURS = {"running": "green", "done": "green", "killed": "red", "stopped": "yellow"}


def status_tables(
    run: RunStatus, used: Utilisation | None, *, now: float | None = None
) -> RenderableType:
    """Everything that there is to say of a run.

    Args:
      run: as it was read.
      used: of its devices; None where their peak is not known.
      now: seconds since 1970; None is the clock's.
    """
    now = time.time() if now is None else now
    parts: list[RenderableType] = [_head(run), *map(Text, facts(run, used))]
    if run.train or run.held_out:
        parts += [Text(), loss_table(run)]
    if run.hosts:
        parts += [
            Text(),
            goodput_table(run.hosts[0].spent),
            Text(),
            host_table(run, now),
        ]
    parts += [Text(line, style="yellow") for line in incidents(run)]
    return Group(*parts)


def _head(run: RunStatus) -> Text:
    state = Text(run.state, style=f"bold {_COLOURS[run.state]}")
    share = f"step {run.step:,} of {run.total:,} ({run.step / run.total:.1%})"
    return Text.assemble(f"{run.folder}: ", state, f", {share}")


def facts(run: RunStatus, used: Utilisation | None) -> Iterator[str]:
    """What holds of the run now, a line each."""
    if run.holding is not None:
        yield holding_line(run)
    if run.origin is not None:
        path, step, parameters = run.origin
        print_ = f"parameters sha256 {parameters[:12]}…"
        yield f"started from {path} at step {step:,} ({print_})"
    if run.speed:
        speed = f"{run.speed[-1][1]:,.0f} tokens/s"
        if run.data_wait:
            speed += f", {run.data_wait[-1][1]:.1%} of it waiting for data"
        yield speed
    seconds = step_seconds(run.folder)
    if seconds is not None:
        yield f"{seconds:.3g} s a step while computing; {utilisation_line(used)}"
    yield checkpoint_line(run)


def holding_line(run: RunStatus) -> str:
    """Who trains in the directory."""
    held = run.holding
    assert held is not None
    who = held.holder or "an unreadable lease"
    if held.alive:
        return f"held by {who}, renewed {held.seconds:.0f} s ago"
    return (
        f"left by {who}, renewed {held.seconds:,.0f} s ago: it was killed, or its host "
        "is gone; rerun the same command to resume"
    )


def utilisation_line(used: Utilisation | None) -> str:
    """MFU, or how to learn it."""
    if used is None:
        return "MFU: give --topology or --peak_flops, a run does not record its devices"
    return (
        f"MFU {used.mfu:.1%} ({used.operations:.3g} model operations a step, peak "
        f"{used.peak:.3g} a second)"
    )


def checkpoint_line(run: RunStatus) -> str:
    """Which checkpoints there are."""
    if not run.checkpoints:
        return "checkpoints: none yet"
    sound = [f"{step:,}" for step, damage in run.checkpoints.items() if damage is None]
    return (
        f"checkpoints: {', '.join(sound) or 'none is sound'} (manifest and data read)"
    )


def incidents(run: RunStatus) -> Iterator[str]:
    """What went wrong so far, a line each."""
    for step, damage in run.checkpoints.items():
        if damage is not None:
            yield f"checkpoint {step:,} is unusable: {damage}"
    if run.quarantined:
        yield f"checkpoints put aside as damaged: {', '.join(run.quarantined)}"
    if run.skips:
        yield f"{len(run.skips):,} update(s) skipped; the newest:"
    for skip in run.skips[-5:]:
        rows = f"rows {skip.rows[0]:,} to {skip.rows[-1]:,}"
        yield f"  step {skip.step:,}: {skip.reason}, {rows}"
    for back in run.rollbacks:
        yield f"went back from step {back.at:,} to step {back.to:,}"
    for step, change in run.changes:
        yield f"step {step:,}: {change.name} {change.before} → {change.after}"
    for host in run.hosts:
        if host.stacks:
            yield f"host {host.number} made no progress: see stacks-{host.number}.txt"


def loss_table(run: RunStatus) -> Table:
    """The newest loss of each objective, in training and held out."""
    table = Table(title="Loss by objective, nats")
    table.add_column("objective", overflow="fold")
    for column in ("training", "held out", "baseline", "gain", "at first"):
        table.add_column(column, justify="right", no_wrap=True)
    names = [name for name in dict.fromkeys((*run.train, *run.held_out)) if name]
    for name in names:
        held_out, baseline = run.held_out.get(name, []), run.baselines.get(name)
        gain = baseline - held_out[-1][1] if held_out and baseline is not None else None
        table.add_row(
            Text(name),  # no markup, whatever it holds
            newest(run.train.get(name, [])),
            newest(held_out),
            "" if baseline is None else f"{baseline:.4f}",
            "" if gain is None else f"[{'green' if gain > 0 else 'red'}]{gain:+.4f}",
            newest(held_out[:1]),
        )
    if run.train.get(""):
        table.add_section()
        table.add_row("all, by loss shares", newest(run.train[""]), *[""] * 4)
    return table


def newest(series: Series) -> str:
    """The last value; empty without one."""
    return f"{series[-1][1]:.4f}" if series else ""


def host_table(run: RunStatus, now: float) -> Table:
    """The last that each host has written."""
    table = Table(title="Hosts")
    for column in ("host", "step", "goodput", "starts", "last line"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in host_rows(run, now):
        table.add_row(*row)
    return table


def host_rows(run: RunStatus, now: float) -> Sequence[tuple[str, ...]]:
    """Number, step, goodput, starts and age of the last line of each host."""
    return [
        (
            str(host.number),
            "" if host.step is None else f"{host.step:,}",
            f"{host.spent.goodput:.1%}",
            f"{host.spent.starts:,}",
            age(now - host.time),
        )
        for host in run.hosts
    ]


def age(seconds: float) -> str:
    """`3 s ago`, `2.5 h ago`."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit} ago"
    return f"{max(0.0, seconds):.0f} s ago"
