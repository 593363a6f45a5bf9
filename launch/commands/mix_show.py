"""`sightline mix show`: measure the shares that the rates of a mixture give."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ...tasks.examples.mixture import Mixture
from ...tasks.examples.window_check import check_windows, remarks
from ...tasks.recorded.serve import Recording
from ...tasks.recorded.serving import ServingCost, serving_cost
from ..terminal.recorded import serving_table
from ..training.report import names_of
from ._arguments import gin_parser, parse_gin
from ._mixture import MixtureShares, add_options, measure_mixture, read_mixture

_ABOUT = """\
Measure the shares that the rates of a mixture give: of examples, of processed and
supervised tokens and of the loss; how full rows are, and from which context supervised
tokens are predicted. With --recording, also how full the rows of a recording
(`sightline record --layout=per_objective`) are when they are mixed at these rates.

  sightline mix show --gin_file=t5.gin
  sightline mix show --gin_file=t5.gin --architecture=encoder_decoder --format=json
  sightline mix show --gin_file=quickstart.gin --recording=rows/apart
"""


def main(arguments: Sequence[str]) -> int:
    """Prints tables or JSON; returns the exit status."""
    parser = gin_parser("mix show", _ABOUT)
    add_options(parser)
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument(
        "--recording",
        metavar="DIR",
        help="a recording of the layout per_objective, to mix at these rates",
    )
    options, bindings = parse_gin(parser, arguments)
    packed_mixture = read_mixture(options.gin_file, bindings, options)
    cost = None
    if options.recording is not None:  # its mistakes are found before text is read
        rates = packed_mixture.mixture.at(0).positive_rates()
        cost = serving_cost(Recording(Path(options.recording)), rates)
    measured = measure_mixture(packed_mixture, options)
    if options.format == "json":
        values = as_json(measured) | ({"served": served_values(cost)} if cost else {})
        print(json.dumps(values, indent=2))
        return 0
    console = Console()
    for line in remarks(*check_windows(measured.mixture, measured.rows)):
        console.print(line, markup=False, highlight=False)
    if measured.mixture.schedule:
        console.print(phase_table(measured.mixture))
    console.print(share_table(measured))
    console.print(context_table(measured))
    if cost:
        console.print(serving_table(cost, rates="the rates of the gin files"))
    return 0


def as_json(measured: MixtureShares) -> dict[str, Any]:
    """The measurement as plain values; the phases too, if there is a schedule."""
    phases = measured.mixture.phases() if measured.mixture.schedule else {}
    return {
        "utilisation": measured.packed.slots,
        "objectives": {
            name: {
                "rate": float(measured.rates[id_]),
                **{key: float(share[id_]) for key, share in measured.shares.items()},
                "loss": float(measured.loss[id_]),
                "context": {
                    key: float(share[id_]) for key, share in measured.contexts.items()
                },
            }
            for name, id_ in names_of(measured.rates).items()
        },
        **(
            {"phases": [phase_values(*phase) for phase in phases.items()]}
            if phases
            else {}
        ),
    }


def served_values(cost: ServingCost) -> dict[str, Any]:
    """What rows cost that are mixed when they are served, as plain values."""
    return {
        "filled": cost.filled,
        "packed_together": cost.mixed,
        "groups": {
            line.name: {
                "examples": line.examples,
                "examples_a_row": line.examples_a_row,
                "rows": line.rows,
                "filled": line.filled,
            }
            for line in cost.groups
        },
    }


def phase_values(step: int, mixture: Mixture) -> dict[str, Any]:
    """The first step of a phase, its tasks' shares, loss shares and bound settings."""
    shares = mixture.loss_share_array()
    return {
        "first_step": step,
        "rates": mixture.task_shares(),
        "loss_shares": {n: float(shares[id_]) for n, id_ in names_of(shares).items()},
        "settings": {
            f"{name}.{setting}": value
            for name in mixture.objectives()
            for setting, value in mixture.settings_of(name).items()
        },
    }


def phase_table(mixture: Mixture) -> Table:
    """What holds from which step on."""
    table = Table(
        title=f"Phases of mixture {escape(mixture.name)}",
        caption="What is measured below is the first one.",
    )
    table.add_column("from step", justify="right")
    table.add_column("rates, and settings")
    table.add_column("loss shares")
    for step, phase in mixture.phases().items():
        values = phase_values(step, phase)
        rates, shares = (
            [f"{name} {share:.2%}" for name, share in values[key].items()]
            for key in ("rates", "loss_shares")
        )
        rates += [escape(f"{name} = {v!r}") for name, v in values["settings"].items()]
        columns = f"{step:,}", "\n".join(rates), "\n".join(shares)
        table.add_row(*columns, end_section=True)
    return table


def share_table(measured: MixtureShares) -> Table:
    """Measured shares."""
    packed = measured.packed
    filled = ", ".join(f"{k} {share:.1%}" for k, share in packed.filled.items())
    table = Table(
        title=f"Mixture {escape(measured.mixture.name)}: measured shares",
        caption=f"Filled of each row: {filled}; of all slots {packed.slots:.1%}",
    )
    table.add_column("objective", no_wrap=True)
    for column in ("rate", "examples", "processed", "supervised", "loss"):
        table.add_column(column, justify="right")
    shares = (measured.rates, *measured.shares.values(), measured.loss)
    for name, id_ in names_of(measured.rates).items():
        table.add_row(name, *(f"{share[id_]:.2%}" for share in shares))
    return table


def context_table(measured: MixtureShares) -> Table:
    """From which context supervised tokens are predicted, by objective and overall."""
    table = Table(
        title="Context that supervised tokens are predicted from",
        caption="past: only text before the token; both: also text after it; permuted: "
        "in a permuted order. Traced through each objective on coded text.",
    )
    table.add_column("objective", no_wrap=True)
    for kind in measured.contexts:
        table.add_column(kind, justify="right")
    kinds = measured.contexts.values()
    for name, id_ in names_of(measured.rates).items():
        table.add_row(name, *(f"{share[id_]:.2%}" for share in kinds))
    supervised = measured.shares["supervised"]
    table.add_section()
    table.add_row("all, by tokens", *(f"{supervised @ share:.2%}" for share in kinds))
    table.add_row("all, by loss", *(f"{measured.loss @ share:.2%}" for share in kinds))
    return table
