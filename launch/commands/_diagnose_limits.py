"""What a team can afford, from the command line; and the size of a run."""

import argparse
from collections.abc import Sequence
from typing import NamedTuple

import jax
from flax import nnx

from ...diagnosis.results.nearest import Run
from ...diagnosis.revision.limits import Limits, RowCost
from ...models.build import build
from ...models.operations import row_operations
from ...models.rows import RowShape
from ...tasks.examples.packed_mixture import PackedMixture
from ...tasks.tokens.vocabulary import vocabulary
from ..configuration.config import Config


class Model(NamedTuple):
    """The model that a gin file or a run trains on a mixture.

    Attributes:
      row_cost: operations of it for a row.
      run: its parameters, and the tokens that its steps process.
    """

    row_cost: RowCost
    run: Run


def add_limits(parser: argparse.ArgumentParser) -> None:
    """Adds the options that `limits_of` reads."""
    group = parser.add_argument_group(
        "what you can afford",
        "The best mixture within these limits is recommended, and the memo says what "
        "each of them costs.",
    )
    group.add_argument(
        "--most_new",
        type=int,
        metavar="N",
        help="objectives, at most, that the mixture does not have; variants count",
    )
    group.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="NAME,…",
        help="objectives that keep at least their share of examples and of the loss",
    )
    group.add_argument(
        "--most_cost",
        type=float,
        metavar="RATIO",
        help="of a processed token, relative to now: operations of the model's matrix "
        "products for a row (all slots attend to all, every prediction is projected to "
        "the vocabulary), over the slots that examples fill; input and optimiser do "
        "not count",
    )
    group.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="NAME,…",
        help="objectives that must not be in the mixture",
    )


def limits_of(options: argparse.Namespace) -> Limits:
    """The limits that the command line asks for."""
    return Limits(
        options.most_new,
        _names(options.keep),
        options.most_cost,
        _names(options.without),
    )


def _names(lists: Sequence[str]) -> tuple[str, ...]:
    """Names in the order in which lists give them, each once."""
    names = [name.strip() for one in lists for name in one.split(",")]
    return tuple(dict.fromkeys(name for name in names if name))


def model_of(config: Config, packed: PackedMixture) -> Model:
    """The model of a config that binds `train.model` and `train.steps`."""
    bound = config.bindings.bound((), "train")
    model, steps = (config.bindings.resolve(bound[n].value) for n in ("model", "steps"))
    size = vocabulary(packed.mixture.vocabulary).size

    def row_cost(rows: RowShape) -> float:
        return row_operations(model, rows, vocabulary_size=size)

    abstract = nnx.eval_shape(
        lambda: build(
            model, vocabulary_size=size, shape=packed.rows, rngs=nnx.Rngs(params=0)
        )
    )
    parameters = sum(int(leaf.size) for leaf in jax.tree.leaves(nnx.state(abstract)))
    tokens = steps * packed.batch_rows * slots(packed.rows)
    return Model(row_cost, Run(parameters, tokens))


def slots(rows: RowShape) -> int:
    """Slots of a row, in every stream."""
    return rows.decoder.slots + (rows.encoder.slots if rows.encoder else 0)
