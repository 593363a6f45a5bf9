"""`sightline mix show`: measure what the rates of a mixture come to."""

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from ...tasks.examples.window_check import check_windows, remarks
from ..training.report import names_of
from ._arguments import gin_parser, parse_gin
from ._mixture import Shown, add_options, ask, measure

_ABOUT = """\
Measure what the rates of a mixture come to: shares of examples, of processed and
supervised tokens and of the loss, how full rows are, and from which context supervised
tokens are predicted.

  sightline mix show --gin_file=gin/mixtures/t5.gin
  sightline mix show --gin_file=t5.gin --architecture=encoder_decoder --format=json
"""


def main(arguments: Sequence[str]) -> int:
    """Prints tables or JSON; returns the exit status."""
    parser = gin_parser("mix show", _ABOUT)
    add_options(parser)
    parser.add_argument("--format", choices=("table", "json"), default="table")
    options, bindings = parse_gin(parser, arguments)
    shown = measure(ask(options.gin_file, bindings, options), options)
    if options.format == "json":
        print(json.dumps(as_json(shown), indent=2))
        return 0
    console = Console()
    for line in remarks(*check_windows(shown.mixture, shown.rows)):
        console.print(line, markup=False, highlight=False)
    console.print(share_table(shown))
    console.print(context_table(shown))
    return 0


def as_json(shown: Shown) -> dict[str, Any]:
    """The measurement as plain values."""
    return {
        "utilisation": shown.packed.slots,
        "objectives": {
            name: {
                "rate": float(shown.rates[id_]),
                **{key: float(share[id_]) for key, share in shown.shares.items()},
                "loss": float(shown.loss[id_]),
                "context": {
                    key: float(share[id_]) for key, share in shown.contexts.items()
                },
            }
            for name, id_ in names_of(shown.rates).items()
        },
    }


def share_table(shown: Shown) -> Table:
    """Measured shares."""
    filled = ", ".join(f"{k} {share:.1%}" for k, share in shown.packed.filled.items())
    table = Table(
        title=f"Mixture {shown.mixture.name}: measured shares",
        caption=f"Filled of each row: {filled}; of all slots {shown.packed.slots:.1%}",
    )
    table.add_column("objective", no_wrap=True)
    for column in ("rate", "examples", "processed", "supervised", "loss"):
        table.add_column(column, justify="right")
    shares = (shown.rates, *shown.shares.values(), shown.loss)
    for name, id_ in names_of(shown.rates).items():
        table.add_row(name, *(f"{share[id_]:.2%}" for share in shares))
    return table


def context_table(shown: Shown) -> Table:
    """From which context supervised tokens are predicted, by objective and in all."""
    table = Table(
        title="Context that supervised tokens are predicted from",
        caption="past: only text before the token; both: also text after it; permuted: "
        "in a permuted order. Traced through each objective on coded text.",
    )
    table.add_column("objective", no_wrap=True)
    for kind in shown.contexts:
        table.add_column(kind, justify="right")
    kinds = shown.contexts.values()
    for name, id_ in names_of(shown.rates).items():
        table.add_row(name, *(f"{share[id_]:.2%}" for share in kinds))
    supervised = shown.shares["supervised"]
    table.add_section()
    table.add_row("all, by tokens", *(f"{supervised @ share:.2%}" for share in kinds))
    table.add_row("all, by loss", *(f"{shown.loss @ share:.2%}" for share in kinds))
    return table
