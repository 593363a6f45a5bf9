"""A recommended mixture, its validation and its confirmation, for the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table


def print_recommendation(found: Mapping[str, Any], console: Console) -> None:
    """Prints `diagnosis.tuning.recommendation_report.as_values`."""
    if found["mixture"] is not None:
        console.print(mixture_table(found))
        console.print(gains_table(found))
    if found["validation"]:
        console.print(validation_table(found["validation"]))
    head = "Recommended" if found["recommended"] else "Not recommended"
    for line in (
        f"{head}: {found['evidence']}",
        *_cut(found["cut"], found["loss"]),
        f"Rule: {found['rule']}. Gain: {found['unit']}.",
        f"{found['rows']} rows, {found['mixtures']} different mixtures; models: "
        + ", ".join(f"{t} by {m or 'none'}" for t, m in found["models"].items())
        + ".",
    ):
        console.print(escape(line), highlight=False)


def _cut(cut: Mapping[str, Any], loss: str) -> list[str]:
    """How many own losses are out of the question."""
    if not cut["rows"] + cut["held_out"]:
        return []
    held_out = f", and {cut['held_out']} held out" if cut["held_out"] else ""
    return [
        f"Rows whose {loss} is above {cut['at']:.4g}, twice what is allowed, are "
        f"taken to be there: {cut['rows']}{held_out}. How far out they are would "
        "decide every interval."
    ]


def mixture_table(found: Mapping[str, Any]) -> Table:
    """Rates and shares of the loss, of the incumbent and of the mixture found."""
    table = _table("Mixture" if found["recommended"] else "Best mixture found")
    table.add_column("component")
    for column in ("rate", "was", "of the loss", "was"):
        table.add_column(column, justify="right")
    columns = [
        found[which][part]
        for part in ("rates", "loss_shares")
        for which in ("mixture", "incumbent")
    ]
    for name in found["components"]:
        shares = [column[name] for column in columns]
        if max(shares) > 0:
            table.add_row(escape(name), *(f"{share:.3f}" for share in shares))
    return table


def gains_table(found: Mapping[str, Any]) -> Table:
    """What is predicted of the mixture found."""
    table = _table("Predicted")
    for column in ("", "value", "95 % interval"):
        table.add_column(column, justify="right" if column else "left")
    predicted = found["predicted"]
    for name, gain in predicted["gains"].items():
        table.add_row(escape(f"gain of {name}, SD"), *_ends(gain))
    table.add_row("own loss ÷ incumbent's", *_ends(predicted["own_loss"]))
    return table


def validation_table(validated: Mapping[str, Any]) -> Table:
    """Predictions of mixtures held out, above what another run of each predicts."""
    any_of = next(iter(validated.values()))
    table = _table(
        f"{any_of['mixtures']} mixtures held out, {any_of['seeds']} runs of each"
    )
    for column in ("target", "by"):
        table.add_column(column)
    for column in ("Spearman", "Kendall", "top-1 regret"):
        table.add_column(column, justify="right")
    for target, each in validated.items():
        for part, label in (("predicted", "model"), ("noise_ceiling", "another run")):
            if each[part] is None:
                continue
            cells = [_cell(each[part][m]) for m in ("spearman", "kendall", "regret")]
            table.add_row(escape(target) if part == "predicted" else "", label, *cells)
    return table


def print_confirmation(found: Mapping[str, Any], console: Console) -> None:
    """Prints `diagnosis.tuning.confirmation.as_values`."""
    table = _table(f"Winner against incumbent, {found['runs']} fresh seeds of each")
    for column in ("", "incumbent", "winner", "difference", "95 % interval", ""):
        table.add_column(column, justify="right" if column else "left")
    for name, each in found["targets"].items():
        table.add_row(
            escape(name),
            f"{each['incumbent']:.4g}",
            f"{each['winner']:.4g}",
            *_ends(each["difference"]),
            each["verdict"],
        )
    console.print(table)
    console.print(escape(found["evidence"]), highlight=False)


def _table(title: str) -> Table:
    return Table(
        title=escape(title), title_justify="left", box=None, padding=(0, 2, 0, 0)
    )


def _ends(figure: Mapping[str, float]) -> tuple[str, str]:
    return f"{figure['value']:.3f}", f"{figure['low']:.3f} – {figure['high']:.3f}"


def _cell(figure: Mapping[str, float] | None) -> str:
    if figure is None:
        return "–"
    return f"{figure['value']:.3g} ({figure['low']:.3g} – {figure['high']:.3g})"
