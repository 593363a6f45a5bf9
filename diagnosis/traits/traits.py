"""What a mixture trains a model to do: the traits of its objectives by share."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ...models.rows import Normalisation, RowShape
from ...objectives.registry import Objective, base_name
from ...tasks.examples.mixture import Mixture, split_task
from .objective_traits import EXAMPLES, Traits, mean_traits, objective_traits

MEASURED = "mixture, measured on coded text"
"""Source of traits."""

REQUESTED = "mixture, as it asks for the loss to be shared"
"""Source of shares of the loss that were not measured."""

By = Literal["examples", "supervised", "loss"]

BY: tuple[By, ...] = ("examples", "supervised", "loss")
"""What the objectives of a mixture may be weighted by."""


class MixtureTraits(NamedTuple):
    """The traits of a mixture.

    Attributes:
      name: of the mixture.
      objectives: traits of each objective and variant, by name.
      examples: share of examples of each.
      supervised: share of supervised tokens of each.
      loss: share of the loss of each.
      overall: means of the objectives' traits, weighted by each of these shares.
      normalisation: of the loss.
      loss_source: source of the shares of the loss.
    """

    name: str
    objectives: Mapping[str, Traits]
    examples: Mapping[str, float]
    supervised: Mapping[str, float]
    loss: Mapping[str, float]
    overall: Mapping[By, Traits]
    normalisation: Normalisation
    loss_source: str


def mixture_traits(
    mixture: Mixture,
    rows: RowShape,
    *,
    lengths: Mapping[str, Int[np.ndarray, " D"]] | None = None,
    normalisation: Normalisation = "objective",
    loss: Float[np.ndarray, " O"] | None = None,
    loss_source: str = "packed examples",
    examples: int = EXAMPLES,
    seed: int = 0,
) -> MixtureTraits:
    """Measures a mixture.

    Args:
      mixture: rates, loss shares, settings.
      rows: that its Examples must fit.
      lengths: tokens in documents of each corpus (`document_fit.document_lengths`);
        None takes full windows, at the start, middle and end of documents in turn.
      normalisation: of the loss.
      loss: measured share of the loss, by objective id; None takes the shares that the
        mixture requests or, under "token_sum", shares of the summed weights. Variants
        divide an objective's share in proportion to their weights.
      loss_source: source of `loss`.
      examples: Examples to make of each task.
      seed: of everything random.

    Raises:
      ValueError: an objective fits no window of the rows.
    """
    bound = mixture.objectives()
    rates: dict[str, dict[str, float]] = {name: {} for name in bound}
    for task, rate in mixture.positive_rates().items():
        corpus, name = split_task(task)
        rates[name][corpus] = rate
    traits = {
        name: _of_corpora(
            objective, rows, rates[name], lengths, examples=examples, seed=seed
        )
        for name, objective in bound.items()
    }
    totals = {name: sum(of_corpora.values()) for name, of_corpora in rates.items()}
    weights = {name: totals[name] * traits[name].weight for name in traits}
    if loss is None and normalisation == "token_sum":
        loss_source = MEASURED
    elif loss is None:
        loss, loss_source = mixture.loss_share_array().astype(float), REQUESTED
    shares: dict[By, Mapping[str, float]] = {
        "examples": _normalised(totals),
        "supervised": _normalised(
            {n: totals[n] * traits[n].supervised for n in totals}
        ),
        "loss": _normalised(_divided(weights, bound, loss)),
    }
    return MixtureTraits(
        mixture.name,
        traits,
        **shares,
        overall={
            by: mean_traits(list(traits.values()), list(shares[by].values()))
            for by in BY
        },
        normalisation=normalisation,
        loss_source=loss_source,
    )


def _of_corpora(
    objective: Objective,
    rows: RowShape,
    rates: Mapping[str, float],
    lengths: Mapping[str, Int[np.ndarray, " D"]] | None,
    *,
    examples: int,
    seed: int,
) -> Traits:
    """An objective's traits on its corpora, weighted by their rates."""
    if lengths is None:
        return objective_traits(objective, rows, examples=examples, seed=seed)
    corpus_traits = [
        objective_traits(
            objective, rows, lengths=lengths[corpus], examples=examples, seed=seed
        )
        for corpus in rates
    ]
    return mean_traits(corpus_traits, list(rates.values()))


def _divided(
    weights: Mapping[str, float],
    bound: Mapping[str, Objective],
    loss: Float[np.ndarray, " O"] | None,
) -> dict[str, float]:
    """Shares of the loss, divided among the variants of an objective by weight."""
    if loss is None:
        return dict(weights)
    totals: dict[str, float] = {}
    for name, weight in weights.items():
        base = base_name(name)
        totals[base] = totals.get(base, 0.0) + weight
    return {
        name: float(loss[bound[name].id]) * weight / totals[base_name(name)]
        for name, weight in weights.items()
    }


def _normalised(values: Mapping[str, float]) -> dict[str, float]:
    total = sum(values.values())
    return {name: value / total for name, value in values.items()}
