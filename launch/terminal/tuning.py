"""A fit of mixtures to scores, as tables for the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table


def print_fit(found: Mapping[str, Any], console: Console) -> None:
    """Prints `diagnosis.tuning.report`: a table and a verdict for each target."""
    for target, each in found["targets"].items():
        for what in ("cross_validation", "holdout"):
            if next(iter(each["models"].values()))[what]:
                console.print(model_table(target, each, what))
        console.print(f"  {escape(_verdict(each))}", highlight=False)
        if each["noise"] is not None:
            console.print(
                f"  Runs of one mixture differ by {each['noise']:.4g} (SD).",
                highlight=False,
            )
        if "optimum" in each:
            _print_optimum(each, console)
        console.print()
    console.print(
        f"{found['rows']} rows, {found['mixtures']} different mixtures; "
        f"{found['folds']}-fold cross-validation × {found['repeats']}, 95 % bootstrap "
        f"intervals over mixtures. {found['rule'].capitalize()}.",
        highlight=False,
    )


def model_table(target: str, each: Mapping[str, Any], what: str) -> Table:
    """The figures of every model of a target.

    Args:
      target: its name.
      each: what was found for it.
      what: "cross_validation", or "holdout" if there is one.
    """
    title = escape(f"{target}, {each['direction']}d: {what.replace('_', '-')}")
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    table.add_column("model", overflow="fold")
    for column in ("Spearman", "Kendall", "RMSE", "÷ constant", "top-1 regret"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, model in each["models"].items():
        cells = [_cell(model[what][column]) for column in _COLUMNS]
        trusted = name == each["trusted"]
        table.add_row(f"[bold]{name}[/]\n(trusted)" if trusted else name, *cells)
    return table


_COLUMNS = ("spearman", "kendall", "rmse", "relative", "regret")


def _cell(figure: Mapping[str, float] | None) -> str:
    if figure is None:
        return "–"
    return f"{figure['value']:.3g}\n[dim]{figure['low']:.3g}–{figure['high']:.3g}[/]"


def _verdict(each: Mapping[str, Any]) -> str:
    if each["trusted"] is None:
        return f"None is trusted: {each['reason']}"
    return f"Trusted: {each['trusted']}; {each['reason']}"


def _print_optimum(each: Mapping[str, Any], console: Console) -> None:
    best = each["optimum"]
    if best is None:
        console.print("  No best mixture: no model is trusted.", highlight=False)
        return
    shares = sorted(best["mixture"].items(), key=lambda pair: -pair[1])
    mixture = ", ".join(
        f"{name} {share:.3f}" for name, share in shares if share >= 5e-4
    )
    observed = best["best_observed"]
    for line in (
        f"Best mixture: {mixture}",
        f"  predicted {best['predicted']:.4g} (SE {best['standard_error']:.2g}); best "
        f"observed {observed['score']:.4g} (row {observed['row']})",
        f"  {best['evidence'][0].upper()}{best['evidence'][1:]}",
        f"  Searched {best['limits']}.",
    ):
        console.print(f"  {escape(line)}", highlight=False)
