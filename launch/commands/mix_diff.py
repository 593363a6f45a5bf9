"""`sightline mix diff`: compare two mixtures."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ...objectives.registry import objectives
from ...tasks.examples.mean_mixture import mean_of_phases
from ...tasks.examples.mixture import Mixture
from ...tasks.rows.layout import capacities
from ._arguments import add_import, parse_gin
from ._mixture import MixtureShares, add_options, measure_mixture, read_mixture

_ABOUT = """\
Compare two mixtures: what they ask for, and the measured shares.

  sightline mix diff incumbent.gin revised.gin
"""


def main(arguments: Sequence[str]) -> int:
    """Prints the differences; returns the exit status."""
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
    add_import(parser)
    add_options(parser)
    options, bindings = parse_gin(parser, arguments)
    # Both are checked before either is measured.
    packed_mixtures = [
        read_mixture([f], bindings, options) for f in (options.before, options.after)
    ]
    before, after = (measure_mixture(packed, options) for packed in packed_mixtures)
    console = Console()
    console.print(request_table(before, after))
    console.print(share_table(before, after))
    return 0


def request_table(before: MixtureShares, after: MixtureShares) -> Table:
    """Where the two mixtures, and the rows they are measured on, differ."""
    names = escape(before.mixture.name), escape(after.mixture.name)
    table = Table(
        title=f"{names[0]} → {names[1]}: what is asked for",
        caption=_of_a_schedule("the mean of the phases", before, after),
    )
    for column in ("", *names):
        table.add_column(column)
    for name, left, right in differences(before.mixture, after.mixture):
        table.add_row(name, _format(left), _format(right))
    if before.rows != after.rows:
        table.add_row("rows", *(str(capacities(s.rows)) for s in (before, after)))
    return table


def _of_a_schedule(part: str, *sides: MixtureShares) -> str:
    """A caption: of which part of a mixture's schedule a table is, if one has any."""
    if any(side.mixture.schedule for side in sides):
        return f"Of mixtures with a schedule, {part}."
    return ""


def differences(before: Mixture, after: Mixture) -> Iterator[tuple[str, Any, Any]]:
    """Each rate, loss share and setting that differs, and the vocabulary if it does.

    Settings of corpora are those that a mixture binds. Rates and shares are normalised
    to sum to 1; None stands for what a mixture does not have.
    """
    sides = [_requested(before), _requested(after)]
    for name in dict.fromkeys([*sides[0], *sides[1]]):
        left, right = (side.get(name) for side in sides)
        if left != right:
            yield name, left, right


def _requested(mixture: Mixture) -> dict[str, Any]:
    mixture = mean_of_phases(mixture)  # with a schedule, rates and shares alike
    rates, shares = mixture.task_shares(), mixture.loss_share_array()
    requested: dict[str, Any] = {"vocabulary": mixture.vocabulary}
    requested |= {f"rate of {task}": rate for task, rate in rates.items()}
    for name, objective in mixture.objectives().items():
        requested[f"loss share of {objective.base}"] = float(shares[objective.id])
        requested |= {
            f"{name}.{key}": value for key, value in objective.settings.items()
        }
    for corpus in mixture.corpus_names():
        bound = mixture.settings.get(corpus, {})
        requested |= {f"{corpus}.{key}": value for key, value in bound.items()}
    return requested


def _format(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else escape(str(value))


def share_table(before: MixtureShares, after: MixtureShares) -> Table:
    """Measured shares, before → after, of the objectives that either mixes."""
    table = Table(
        title=escape(f"{before.mixture.name} → {after.mixture.name}: measured shares"),
        caption=f"Slots filled: {before.packed.slots:.1%} → {after.packed.slots:.1%}. "
        + _of_a_schedule("the first phase", before, after),
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
                f"{shares[key] @ measured.contexts[kind]:.1%}"
                for shares, measured in zip(columns, (before, after), strict=True)
            )
            for key in ("supervised", "loss")
        ]
        table.add_row(f"predicted from {kind}", "", "", *cells)
    return table


def _columns(measured: MixtureShares) -> Mapping[str, Float[np.ndarray, " O"]]:
    return {**measured.shares, "loss": measured.loss}
