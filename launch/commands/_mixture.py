"""What `mix show` and `mix diff` share: a mixture, measured."""

import argparse
import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from rich.console import Console
from rich.progress import track

from ...models.rows import RowShape
from ...objectives.errors import require_count, require_seed
from ...tasks.examples.mixture import Mixture
from ...tasks.rows.layout import Placed, layout
from ...tasks.shares import share_estimates
from ...tasks.shares.context_shares import context_shares
from ...tasks.tokens.vocabulary import vocabulary
from ..configuration.config import load
from ..configuration.mixture import PackedMixture, checked, mixture_of, rows_of

DOCUMENTS = 500
"""Of each corpus, in windows of whose lengths contexts are measured."""


class Shown(NamedTuple):
    """Everything that is shown of a mixture; arrays are by objective id.

    Attributes:
      mixture: the mixture.
      rates: share of the examples that its rates ask for.
      shares: measured shares of `examples`, `processed` and `supervised`.
      loss: measured share of the loss.
      contexts: share of an objective's supervised tokens predicted from each context.
      packed: how the Examples fill rows.
      placed: the Examples themselves.
      rows: that they were laid out for.
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
    """Adds what a measurement may be told."""
    parser.add_argument(
        "--architecture",
        choices=("decoder", "encoder_decoder"),
        help="of the rows; that of train.rows, else decoder",
    )
    parser.add_argument(
        "--examples", type=int, default=4000, metavar="N", help="that are read (4000)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the stream (0)"
    )


def ask(
    files: Sequence[str], bindings: Sequence[str], options: argparse.Namespace
) -> PackedMixture:
    """Reads gin files and checks their mixture.

    Raises:
      ValueError: the mixture is wrong in any way; nothing heavy is imported by then.
    """
    require_count("--examples", options.examples)
    require_seed("--seed", options.seed)
    config = load(files, bindings)
    mixture, rows = mixture_of(config), rows_of(config, options.architecture)
    return checked(config, mixture, rows)


def measure(asked: PackedMixture, options: argparse.Namespace) -> Shown:
    """Measures a mixture on Examples from its own SeqIO pipeline.

    Args:
      asked: what to measure.
      options: `seed` of the stream, and how many `examples` to read.
    """
    from ..training.data import Data

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
    packed = share_estimates.pack(placed, rows)
    shares = share_estimates.shares(share_estimates.sizes(placed))
    rng = np.random.default_rng(options.seed)
    return Shown(
        mixture,
        rates=mixture.rate_array(),
        shares=shares,
        loss=share_estimates.loss_of(asked, shares, packed),
        contexts=context_shares(mixture, rows, rng, documents=DOCUMENTS),
        packed=packed,
        placed=placed,
        rows=rows,
    )
