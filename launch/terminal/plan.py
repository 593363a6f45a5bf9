"""A plan on one screen: the verdict, what it rests on, and what is wasteful."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

GIB = 2**30

_ROWS = 8
"""Of the table of collectives; the rest is summed up in one row."""

_PARTS = {
    "parameters": "parameters",
    "optimizer": "optimiser state",
    "batch": "batch",
    "padding": "padding of these",
    "outputs": "outputs",
    "temporaries": "activations etc.",
    "code": "program",
}
_LIMITS = {"compute": "compute", "hbm": "HBM", "ici": "ICI", "dcn": "DCN"}


def plan_screen(report: Mapping[str, Any]) -> RenderableType:
    """The whole report of one plan (`pods.plan.report`)."""
    parts: list[RenderableType] = [Text(_subject(report), style="bold")]
    parts += [_verdict(report), Text(_speed(report))]
    tables = Table.grid(padding=(0, 3, 0, 0))
    cells = [_memory(report)] + ([_times(report)] if "seconds" in report else [])
    tables.add_row(*cells)
    parts.append(tables)
    if report.get("collectives"):
        parts.append(_collectives(report["collectives"]))
    parts += _notes(report)
    return Group(*parts)


def _subject(report: Mapping[str, Any]) -> str:
    mesh = ", ".join(f"{axis} {n}" for axis, n in report["mesh"].items() if n > 1)
    slots = " + ".join(f"{n:,}" for n in report["slots"])
    parts = f" in {report['microbatches']} parts" if report["microbatches"] > 1 else ""
    architecture = report["architecture"].replace("_", "–")
    return (
        f"{architecture} of {_count(report['parameters'])} parameters, "
        f"{report['batch_rows']:,} rows of {slots} slots{parts}, "
        f"remat {report['remat']}\non {report['topology']}, {report['chips']:,} chips: "
        f"{mesh or 'one device'}"
    )


def _verdict(report: Mapping[str, Any]) -> Text:
    needed, capacity = report["needed"] / GIB, report["capacity"]
    if capacity is None:
        return Text(f"needs {needed:,.2f} GiB a device; its capacity is not known")
    capacity /= GIB
    if report["fits"]:
        share = needed / capacity
        text = f"FITS: {needed:,.2f} of {capacity:,.2f} GiB a device ({share:.0%})"
        return Text(text, style="bold green")
    over, least = needed - capacity, "at least " if report["at_least"] else ""
    text = f"DOES NOT FIT: {least}{needed:,.2f} GiB a device, {over:,.2f} too many"
    capacity = f"of {capacity:,.2f}"
    return Text(f"{text} ({capacity})", style="bold red")


def _speed(report: Mapping[str, Any]) -> str:
    tokens = f"{report['tokens_per_step']:,} tokens a step"
    if report["fits"] is False and "step_seconds" not in report:
        return tokens
    if "step_seconds" not in report:
        return f"{tokens}; no speeds are known of these devices"
    seconds, hosts = report["step_seconds"], report["hosts"]
    cost = report["dollars_per_billion_tokens"]
    costs = "" if cost is None else f", at least ${cost:,.2f} a billion tokens"
    return (
        f"{tokens}, at least {_seconds(seconds)} each, bound by "
        f"{_LIMITS[report['bound']]}: at most {report['tokens_per_second']:,.0f} "
        f"tokens/s, {report['mfu']:.1%} MFU{costs}\nthe data path delivers up to "
        f"{report['tokens_per_second_per_host']:,.0f} tokens/s to each of {hosts} host"
        + ("s" if hosts != 1 else "")
    )


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)


def _memory(report: Mapping[str, Any]) -> Table:
    table = _table("Memory of a device")
    table.add_column("part", no_wrap=True)
    table.add_column("GiB", justify="right", no_wrap=True)
    for name, size in report["memory"].items():
        # Rounded first: an argument that nothing reads is dropped, and -0.000 is 0.
        table.add_row(_PARTS[name], f"{round(size / GIB, 3) + 0:,.3f}")
    table.add_section()
    table.add_row("HBM peak", f"{report['needed'] / GIB:,.3f}")
    return table


def _times(report: Mapping[str, Any]) -> Table:
    table = _table("A step takes at least")
    table.add_column("limit", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("for", no_wrap=True)
    model, done = report["model_operations"], report["operations"]
    sent = {
        link: sum(r["sent"] for r in report["collectives"] if r["link"] == link)
        for link in ("ici", "dcn")
    }
    amounts = {
        "compute": f"{done / 1e12:,.1f} TFLOP (model {model / 1e12:,.1f})",
        "hbm": f"{report['traffic'] / 1e9:,.1f} GB moved",
        **{link: f"{size / 1e9:,.2f} GB sent" for link, size in sent.items()},
    }
    for limit, seconds in report["seconds"].items():
        style = "bold" if limit == report["bound"] else ""
        if seconds:
            row = _LIMITS[limit], _seconds(seconds), amounts[limit]
            table.add_row(*row, style=style)
    return table


def _collectives(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("Collectives of a step")
    for column in ("where", "over", "link", "kind"):
        table.add_column(column, no_wrap=column != "over")
    for column in ("runs", "MB", "GB a step"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows[:_ROWS]:
        table.add_row(
            *(row["role"], row["axes"], row["link"].upper(), row["kind"]),
            *(f"{row['runs']:,}", f"{row['largest'] / 1e6:,.2f}"),
            f"{row['bytes'] / 1e9:,.3f}",
        )
    if len(rows) > _ROWS:
        rest = rows[_ROWS:]
        runs, size = (sum(row[name] for row in rest) for name in ("runs", "bytes"))
        name = f"{len(rest)} more"
        table.add_row(name, "", "", "", f"{runs:,}", "", f"{size / 1e9:,.3f}")
    return table


def _notes(report: Mapping[str, Any]) -> Iterator[Text]:
    for array in report.get("largest", ())[:3]:
        where = f" of {array['operator']}" if array["operator"] else ""
        yield Text(f"  {array['bytes'] / GIB:,.2f} GiB: {array['shape']}{where}")
    if report.get("advice"):
        yield Text("What would save memory (estimated; --search compiles it):")
        yield from (Text(f"  - {one}") for one in report["advice"])
    for one in report.get("findings", ()):
        line = Text.assemble(
            ("! ", "yellow"), (one["kind"], "bold"), f": {one['message']}"
        )
        if one["remedy"]:
            line.append(f" To mend it, {one['remedy']}.")
        yield line
    compiler = report["compiler"]
    how = "in the cache" if compiler["cached"] else "compiled"
    yield Text(f"{how}: {compiler['seconds']:,.0f} s", style="dim")


def _count(number: int) -> str:
    """ "85.8 M"."""
    units = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
    # 999,500 would round to 1e+03 k.
    size, unit = next(((n, u) for n, u in units if number >= 0.9995 * n), (1.0, ""))
    return f"{number / size:,.3g} {unit}".rstrip()


def _seconds(seconds: float) -> str:
    return f"{seconds:,.3f} s" if seconds >= 1 else f"{1e3 * seconds:,.1f} ms"


def ranking(reports: Sequence[Mapping[str, Any]]) -> Table:
    """The plans of a search, the fastest that fits first."""
    table = _table("Plans that were compiled, the best first")
    table.add_column("mesh")
    table.add_column("remat", no_wrap=True)
    for column in ("parts", "GiB", "fits", "step ≥", "bound", "MFU ≤"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in reports:
        mesh = ", ".join(f"{axis} {n}" for axis, n in one["mesh"].items() if n > 1)
        table.add_row(
            *(mesh or "one device", one["remat"], f"{one['microbatches']}"),
            f"{one['needed'] / GIB:,.2f}",
            _fits(one),
            _seconds(one["step_seconds"]) if "step_seconds" in one else "",
            _LIMITS[one["bound"]] if "bound" in one else "",
            f"{one['mfu']:.1%}" if "mfu" in one else "",
        )
    return table


def _fits(report: Mapping[str, Any]) -> str:
    if report["fits"] is None:
        return "not known"
    over = (report["needed"] - report["capacity"]) / GIB
    return "yes" if report["fits"] else f"{over:,.2f} over"
