"""What `mix show` and `mix diff` share: a mixture, measured."""

import argparse
import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from rich.console import Console
from rich.markup import escape
from rich.progress import track

from ...models.rows import RowShape
from ...objectives.errors import require_count, require_seed
from ...tasks.examples.mixture import Mixture
from ...tasks.examples.preflight import check_loss_shares
from ...tasks.rows.layout import Placed, layout
from ...tasks.shares import share_estimates
from ...tasks.shares.context_shares import context_shares
from ...tasks.tokens.vocabulary import vocabulary
from ..configuration.config import load
from ..configuration.mixture import (
    PackedMixture,
    mixture_of,
    packed_mixture_of,
    rows_of,
)

DOCUMENTS = 500
"""Of each corpus, in windows of whose lengths contexts are measured."""


class MixtureShares(NamedTuple):
    """What is measured of a mixture; arrays are by objective id.

    Attributes:
      mixture: the mixture.
      rates: shares of the examples that its rates ask for.
      shares: measured shares of `examples`, `processed` and `supervised`.
      loss: measured share of the loss.
      contexts: shares of an objective's supervised tokens by the context that they are
        predicted from.
      packed: how the Examples fill rows.
      placed: the Examples, laid out.
      rows: the rows they were laid out for.
    """

    mixture: Mixture
    rates: Float[np.ndarray, " O"]
    shares: Mapping[str, Float[np.ndarray, " O"]]
    loss: Float[np.ndarray, " O"]
    contexts: Mapping[str, Float[np.ndarray, " O"]]
    packed: share_estimates.Packed
    placed: Sequence[Placed]
    rows: RowShape


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of a measurement."""
    parser.add_argument(
        "--architecture",
        choices=("decoder", "encoder_decoder"),
        help="of the rows (that of train.rows, else decoder)",
    )
    parser.add_argument(
        "--examples", type=int, default=4000, metavar="N", help="to read (4000)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the stream (0)"
    )


def read_mixture(
    files: Sequence[str], bindings: Sequence[str], options: argparse.Namespace
) -> PackedMixture:
    """Reads gin files and checks their mixture.

    Raises:
      ValueError: any mistake in the mixture; nothing heavy is imported by then.
    """
    require_count("--examples", options.examples)
    require_seed("--seed", options.seed)
    config = load(files, bindings)
    mixture, rows = mixture_of(config), rows_of(config, options.architecture)
    packed = packed_mixture_of(config, mixture, rows)
    check_loss_shares(mixture, packed.normalisation)
    return packed


def measure_mixture(
    packed_mixture: PackedMixture, options: argparse.Namespace
) -> MixtureShares:
    """Measures a mixture on the Examples that a run begins with.

    Args:
      packed_mixture: what to measure.
      options: `seed` of the stream, and how many `examples` to read.
    """
    from ..training.data import Streaming

    mixture, rows, batch_rows, _ = packed_mixture
    place = layout(rows, bos=vocabulary(mixture.vocabulary).special_ids.bos)
    source = Streaming(mixture, rows, batch_rows).examples(seed=options.seed)
    tracked = track(
        itertools.islice(source, options.examples),
        f"Reading {escape(mixture.name)}",
        total=options.examples,
        console=Console(stderr=True),
        transient=True,
    )
    placed = [place(example) for example in tracked]
    packed = share_estimates.pack(placed, rows)
    shares = share_estimates.shares(share_estimates.sizes(placed))
    rng = np.random.default_rng(options.seed)
    return MixtureShares(
        mixture,
        rates=mixture.rate_array(),
        shares=shares,
        loss=share_estimates.loss_of(packed_mixture, shares, packed),
        contexts=context_shares(mixture, rows, rng, documents=DOCUMENTS),
        packed=packed,
        placed=placed,
        rows=rows,
    )
