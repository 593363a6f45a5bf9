"""A mixture made of another by giving shares to objectives, and rows that fit it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from ...models.rows import Capacity, RowShape
from ...objectives.registry import Objective, base_name
from ...tasks.examples.mixture import Mixture, split_task
from ...tasks.rows.layout import budget
from ..scores.score import Failure

Key = TypeVar("Key", bound=str)

DIGITS = 4
"""Of a rate or share that is written down."""


class Part(NamedTuple):
    """What an objective gets on top of what it has.

    Attributes:
      failure: that it acts on.
      objective: with its name and settings; one of the mixture's, or a new one.
      rate: share of all examples.
      loss: share of all loss.
      source: where rate and loss are from.
    """

    failure: Failure
    objective: Objective
    rate: float
    loss: float
    source: str


def revised(
    mixture: Mixture, parts: Sequence[Part], loss: Mapping[str, float]
) -> Mixture:
    """The mixture with parts; what it had shares the rest as before.

    Settings of its own objectives stay. A new objective is read from the mixture's
    corpora, or from those that its tasks name, as often as they do.

    Args:
      mixture: to revise.
      parts: at most one of each name.
      loss: share of the loss of each of its objectives and variants.
    """
    positive = {key: rate for key, rate in mixture.rates.items() if rate > 0}
    total = sum(positive.values())
    kept = 1 - sum(part.rate for part in parts)
    kept_loss = 1 - sum(part.loss for part in parts)
    rates = {key: kept * rate / total for key, rate in positive.items()}
    settings = {key: dict(value) for key, value in mixture.settings.items()}
    shares: defaultdict[str, float] = defaultdict(float)
    for own, share in loss.items():
        shares[base_name(own)] += kept_loss * share
    for part in parts:
        own = part.objective.name
        keys = {k: r for k, r in positive.items() if split_task(k)[1] == own}
        if not keys:
            keys = _new_keys(mixture, own)
            settings[own] = dict(part.objective.settings)
        for key, rate in keys.items():
            rates[key] = rates.get(key, 0) + part.rate * rate / sum(keys.values())
        shares[part.objective.base] += part.loss
    return Mixture(
        "recommended",
        _rounded(rates),
        corpora=dict(mixture.corpora),
        loss_shares=_rounded(shares),
        settings=settings,
        vocabulary=mixture.vocabulary,
    )


def on_top(aims: Mapping[Key, float], have: Mapping[Key, float]) -> dict[Key, float]:
    """What brings shares from what they have to their aims.

    What is added takes from what is there alike, also from what they have.
    """
    left = 1 - sum(have[name] for name in aims)
    kept = (1 - sum(aims.values())) / left if left else 0.0
    return {name: aim - kept * have[name] for name, aim in aims.items()}


def open_rows(rows: RowShape) -> RowShape:
    """Rows with as many slots, in which every slot can be asked.

    A mixture of which little is predicted has rows with few predictions; an objective
    that predicts every slot would be cut to windows of that size. The targets of an
    encoder–decoder get as many slots as its inputs have.
    """
    inputs = rows.encoder
    slots = max(rows.decoder.slots, inputs.slots if inputs else 0)
    wide = Capacity(slots, slots)
    return RowShape(wide, inputs and Capacity(inputs.slots, inputs.slots))


def fitting_rows(rows: RowShape, mixture: Mixture) -> RowShape:
    """`open_rows`, with as many predictions as an Example of the mixture asks for."""
    free = open_rows(rows)
    inputs, slots = rows.encoder, free.decoder.slots
    asked, behind = 1, 1
    for objective in mixture.objectives().values():
        need = objective.lengths(objective.window(budget(free)))
        if need is not None:
            asked = max(asked, need.inputs_predictions)
            both = 0 if inputs else need.inputs_predictions
            behind = max(behind, need.targets_predictions + both)
    decoder = Capacity(slots, min(slots, max(behind, rows.decoder.predictions)))
    if inputs is None:
        return RowShape(decoder)
    memory = min(inputs.slots, max(asked, inputs.predictions))
    return RowShape(decoder, Capacity(inputs.slots, memory))


def _new_keys(mixture: Mixture, name: str) -> dict[str, float]:
    """Keys of `Mixture.rates` for a new objective, and how they share its rate."""
    if any(rate > 0 for rate in mixture.corpora.values()):
        return {name: 1.0}
    found: dict[str, float] = {}
    for task, rate in mixture.positive_rates().items():
        key = f"{split_task(task)[0]}.{name}"
        found[key] = found.get(key, 0.0) + rate
    return found


def _rounded(shares: Mapping[str, float]) -> dict[str, float]:
    """Shares of few digits that sum to 1; the largest takes up what is left over."""
    total = sum(shares.values())
    found = {
        # What is small stays above 0.
        name: round(share / total, DIGITS) or float(f"{share / total:.2g}")
        for name, share in shares.items()
    }
    largest = max(found, key=lambda name: found[name])
    rest = 1 - sum(share for name, share in found.items() if name != largest)
    return {**found, largest: round(rest, 2 * DIGITS)}
