"""`sightline mix diff`: compare two mixtures."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from rich.console import Console
from rich.table import Table

from ...objectives.registry import objectives
from ...tasks.examples.mixture import Mixture, split_task
from ...tasks.rows.layout import capacities
from ._arguments import parse_gin
from ._mixture import Shown, add_options, ask, measure

_ABOUT = """\
Compare two mixtures: what they ask for, and the shares that it comes to, measured.

  sightline mix diff incumbent.gin revised.gin
"""


def main(arguments: Sequence[str]) -> int:
    """Prints what differs; returns the exit status."""
    parser = argparse.ArgumentParser(
        "sightline mix diff",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("before", metavar="A", help="a gin file")
    parser.add_argument("after", metavar="B", help="a gin file")
    parser.add_argument(
        "--gin.NAME", dest="_", metavar="VALUE", help="binds a parameter of both"
    )
    add_options(parser)
    options, bindings = parse_gin(parser, arguments)
    # Both are checked before either is measured.
    asked = [ask([f], bindings, options) for f in (options.before, options.after)]
    before, after = (measure(one, options) for one in asked)
    console = Console()
    console.print(asked_table(before, after))
    console.print(share_table(before, after))
    return 0


def asked_table(before: Shown, after: Shown) -> Table:
    """What the two mixtures, and the rows they are measured on, have otherwise."""
    names = before.mixture.name, after.mixture.name
    table = Table(title=f"{names[0]} → {names[1]}: what is asked for")
    for column in ("", *names):
        table.add_column(column)
    for name, one, other in differences(before.mixture, after.mixture):
        table.add_row(name, _spelled(one), _spelled(other))
    if before.rows != after.rows:
        table.add_row("rows", *(str(capacities(s.rows)) for s in (before, after)))
    return table


def differences(before: Mixture, after: Mixture) -> Iterator[tuple[str, Any, Any]]:
    """Each rate, loss share, setting and the vocabulary that is not the same.

    Settings of corpora are those that a mixture binds.

    Rates and shares are as they count, summing to 1; None is what one has not.
    """
    sides = [_asked(before), _asked(after)]
    for name in dict.fromkeys([*sides[0], *sides[1]]):
        one, other = (side.get(name) for side in sides)
        if one != other:
            yield name, one, other


def _asked(mixture: Mixture) -> dict[str, Any]:
    rates, shares = mixture.task_shares(), mixture.loss_share_array()
    found: dict[str, Any] = {"vocabulary": mixture.vocabulary}
    found |= {f"rate of {task}": rate for task, rate in rates.items()}
    for name, objective in mixture.objectives().items():
        found[f"loss share of {objective.base}"] = float(shares[objective.id])
        found |= {f"{name}.{key}": value for key, value in objective.settings.items()}
    for corpus in sorted({split_task(task)[0] for task in rates}):
        bound = mixture.settings.get(corpus, {})
        found |= {f"{corpus}.{key}": value for key, value in bound.items()}
    return found


def _spelled(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def share_table(before: Shown, after: Shown) -> Table:
    """Measured shares, before → after, of objectives that either mixes."""
    table = Table(
        title=f"{before.mixture.name} → {after.mixture.name}: measured shares",
        caption=f"Slots filled: {before.packed.slots:.1%} → {after.packed.slots:.1%}",
    )
    table.add_column("objective", no_wrap=True)
    columns = [_columns(before), _columns(after)]
    for column in columns[0]:
        table.add_column(column, justify="right")
    for name, objective in objectives().items():
        if before.rates[objective.id] + after.rates[objective.id] > 0:
            cells = [
                f"{columns[0][key][objective.id]:.1%} → {values[objective.id]:.1%}"
                for key, values in columns[1].items()
            ]
            table.add_row(name, *cells)
    table.add_section()
    for kind in before.contexts:
        cells = [
            " → ".join(
                f"{shown[key] @ of.contexts[kind]:.1%}"
                for shown, of in zip(columns, (before, after), strict=True)
            )
            for key in ("supervised", "loss")
        ]
        table.add_row(f"predicted from {kind}", "", "", *cells)
    return table


def _columns(shown: Shown) -> Mapping[str, Float[np.ndarray, " O"]]:
    return {**shown.shares, "loss": shown.loss}
