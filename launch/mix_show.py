"""`sightline mix show`: what a mixture's rates come to, measured."""

import argparse
import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ..models.rows import RowShape
from ..tasks import measured
from ..tasks.arithmetic import Arithmetic, arithmetic
from ..tasks.layout import Placed, layout
from ..tasks.mixture import Mixture
from ..tasks.vocabulary import vocabulary
from .bench import packing_table, packings
from .cli import gin_parser, parse_gin
from .config import load
from .gin_mixture import Asked, checked, mixture_of, rows_of
from .report import names_of

_ABOUT = """\
Measure what the rates of a mixture come to: shares of examples, of processed and
supervised tokens and of the loss, how full rows are, and from which context supervised
tokens are predicted.

  sightline mix show --gin_file=gin/mixtures/t5.gin
  sightline mix show --gin_file=t5.gin --architecture=encoder_decoder --format=json
"""

DOCUMENTS = 2000
"""Of each corpus, whose lengths give what the rates should come to."""


class Shown(NamedTuple):
    """Everything that is shown of a mixture; arrays are by objective id.

    Attributes:
      mixture: the mixture.
      rates: share of the examples that its rates ask for.
      shares: measured shares of `examples`, `processed` and `supervised`.
      errors: one standard error of each.
      loss: measured share of the loss.
      expected: what the rates come to by arithmetic.
      packed: how the Examples fill rows.
      placed: the Examples themselves.
      rows: that they were laid out for.
    """

    mixture: Mixture
    rates: Float[np.ndarray, " O"]
    shares: Mapping[str, Float[np.ndarray, " O"]]
    errors: Mapping[str, Float[np.ndarray, " O"]]
    loss: Float[np.ndarray, " O"]
    expected: Arithmetic
    packed: measured.Packed
    placed: Sequence[Placed]
    rows: RowShape


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
    console.print(share_table(shown))
    console.print(agreement_table(shown))
    console.print(packing_table(packings(shown.placed, shown.rows)))
    console.print(context_table(shown))
    return 0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds what a measurement may be told."""
    parser.add_argument(
        "--architecture",
        choices=("decoder", "encoder_decoder"),
        help="of the rows; that of train.rows, else decoder",
    )
    parser.add_argument("--examples", type=int, default=4000, metavar="N")
    parser.add_argument("--seed", type=int, default=0)


def ask(
    files: Sequence[str], bindings: Sequence[str], options: argparse.Namespace
) -> Asked:
    """Reads gin files and checks their mixture.

    Raises:
      ValueError: the mixture is wrong in any way; nothing heavy is imported by then.
    """
    config = load(files, bindings)
    mixture, rows = mixture_of(config), rows_of(config, options.architecture)
    return checked(config, mixture, rows)


def measure(asked: Asked, options: argparse.Namespace) -> Shown:
    """Measures a mixture on Examples from its own SeqIO pipeline.

    Args:
      asked: what to measure.
      options: `seed` of the stream, and how many `examples` to read.
    """
    from .data import Data

    mixture, rows, batch_rows, _ = asked
    place = layout(rows, bos=vocabulary(mixture.vocabulary).special_ids.bos)
    source = Data(mixture, rows, batch_rows).examples(seed=options.seed)
    read = track(
        itertools.islice(source, options.examples),
        f"Reading {mixture.name}",
        total=options.examples,
        console=Console(stderr=True),
        transient=True,
    )
    placed = [place(example) for example in read]
    sample, rng = measured.sizes(placed), np.random.default_rng(options.seed)
    packed = measured.pack(placed, rows)
    shares = measured.shares(sample)
    return Shown(
        mixture,
        rates=mixture.rate_array(),
        shares=shares,
        errors=measured.standard_errors(sample, rng),
        loss=loss_of(asked, shares, packed),
        expected=arithmetic(mixture, rows, rng, documents=DOCUMENTS),
        packed=packed,
        placed=placed,
        rows=rows,
    )


def loss_of(
    asked: Asked,
    shares: Mapping[str, Float[np.ndarray, " O"]],
    packed: measured.Packed,
) -> Float[np.ndarray, " O"]:
    """Each objective's share of the loss, from measured shares and packed rows."""
    if asked.normalisation == "token_sum":  # every prediction counts alike
        return shares["supervised"]
    wanted = asked.mixture.loss_share_array().astype(float)
    return measured.loss_shares(packed.rows, wanted, batch_rows=asked.batch_rows)


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
                    key: float(share[id_])
                    for key, share in shown.expected.contexts.items()
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


def agreement_table(shown: Shown) -> Table:
    """How far measured shares are from rate × size, beside the sampling error."""
    table = Table(
        title="Measured less what the rates come to (DESIGN §2)",
        caption="± two standard errors, of both; percentage points. A figure outside "
        "is red: of 20, one is by chance.",
    )
    table.add_column("objective", no_wrap=True)
    for column in shown.shares:
        table.add_column(column, justify="right")
    for name, id_ in names_of(shown.rates).items():
        cells = []
        for key, share in shown.shares.items():
            off = share[id_] - shown.expected.shares[key][id_]
            errors = shown.errors[key][id_], shown.expected.errors[key][id_]
            spread = 2 * float(np.hypot(*errors))
            colour = "red" if abs(off) > max(spread, 1e-9) else "default"
            cells.append(f"[{colour}]{100 * off:+.2f} ± {100 * spread:.2f}[/]")
        table.add_row(name, *cells)
    return table


def context_table(shown: Shown) -> Table:
    """From which context supervised tokens are predicted, by objective and in all."""
    table = Table(
        title="Context that supervised tokens are predicted from",
        caption="past: only text before the token; both: also text after it; permuted: "
        "in a permuted order. Traced through each objective on coded text.",
    )
    table.add_column("objective", no_wrap=True)
    for kind in shown.expected.contexts:
        table.add_column(kind, justify="right")
    kinds = shown.expected.contexts.values()
    for name, id_ in names_of(shown.rates).items():
        table.add_row(name, *(f"{share[id_]:.2%}" for share in kinds))
    supervised = shown.shares["supervised"]
    table.add_section()
    table.add_row("all, by tokens", *(f"{supervised @ share:.2%}" for share in kinds))
    table.add_row("all, by loss", *(f"{shown.loss @ share:.2%}" for share in kinds))
    return table
