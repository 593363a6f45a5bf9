"""Gives shares of a mixture to objectives, and finds rows that fit the result."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from ...models.rows import Capacity, RowShape
from ...objectives.registry import Objective, base_name
from ...tasks.examples.mixture import Mixture, split_task
from ...tasks.rows.layout import budget

Key = TypeVar("Key", bound=str)

DIGITS = 4
"""Digits of a rate or share that is written down."""


class Part(NamedTuple):
    """The shares added to an objective.

    Attributes:
      failures: that it acts on, at least one.
      objective: with name and settings; the mixture's own, or a new one.
      rate: share of all examples.
      loss: share of all loss.
      source: of rate and loss.
    """

    failures: tuple[str, ...]
    objective: Objective
    rate: float
    loss: float
    source: str


def revised(
    mixture: Mixture, parts: Sequence[Part], loss: Mapping[str, float]
) -> Mixture:
    """The mixture with parts added; its present objectives share the rest as before.

    Args:
      mixture: to revise.
      parts: at most one for each name.
      loss: share of the loss of each of its objectives and variants.
    """
    kept = 1 - sum(part.rate for part in parts)
    kept_loss = 1 - sum(part.loss for part in parts)
    examples = {n: kept * share for n, share in mixture.objective_rates().items()}
    shares = {name: kept_loss * share for name, share in loss.items()}
    for part in parts:
        name = part.objective.name
        examples[name] = examples.get(name, 0.0) + part.rate
        shares[name] = shares.get(name, 0.0) + part.loss
    objectives = {part.objective.name: part.objective for part in parts}
    return shared_out(mixture, objectives, examples, shares)


def shared_out(
    mixture: Mixture,
    objectives: Mapping[str, Objective],
    examples: Mapping[str, float],
    loss: Mapping[str, float],
) -> Mixture:
    """The mixture with other shares.

    Settings of its objectives stay. A new objective uses the mixture's corpora, or
    those named by its tasks in the same proportions.

    Args:
      mixture: to revise.
      objectives: with the settings of those that are new, by name.
      examples: share of each objective and variant, above 0; others are left out.
      loss: likewise, of those that have some.
    """
    positive = {key: rate for key, rate in mixture.rates.items() if rate > 0}
    settings = {key: dict(value) for key, value in mixture.all_settings().items()}
    rates: dict[str, float] = {}
    for name, share in examples.items():
        keys = {k: r for k, r in positive.items() if split_task(k)[1] == name}
        if not keys:
            keys = _new_keys(mixture, name)
            if name in objectives:
                settings[name] = dict(objectives[name].settings)
        for key, rate in keys.items():
            rates[key] = share * rate / sum(keys.values())
    shares: defaultdict[str, float] = defaultdict(float)
    for name, share in loss.items():
        shares[base_name(name)] += share
    return Mixture(
        "recommended",
        rounded(rates),
        corpora=dict(mixture.corpora),
        loss_shares=rounded(shares),
        settings=settings,
        vocabulary=mixture.vocabulary,
    )


def on_top(aims: Mapping[Key, float], current: Mapping[Key, float]) -> dict[Key, float]:
    """The additions that bring current shares to their aims.

    Additions scale down all present shares alike, including those being raised.
    """
    left = 1 - sum(current[name] for name in aims)
    kept = (1 - sum(aims.values())) / left if left else 0.0
    return {name: aim - kept * current[name] for name, aim in aims.items()}


def open_rows(rows: RowShape) -> RowShape:
    """Rows with as many slots, each of which may predict.

    Rows of a mixture that predicts little have few predictions, which would limit the
    windows of an objective that predicts every token. The decoder of an
    encoder–decoder gets as many slots as its encoder has.
    """
    inputs = rows.encoder
    slots = max(rows.decoder.slots, inputs.slots if inputs else 0)
    wide = Capacity(slots, slots)
    return RowShape(wide, inputs and Capacity(inputs.slots, inputs.slots))


def fitting_rows(
    rows: RowShape, mixture: Mixture, *, wide: RowShape | None = None
) -> RowShape:
    """Rows with as many predictions as the Examples of the mixture need.

    Args:
      rows: of the present mixture, which no capacity falls below.
      mixture: whose Examples are to fit.
      wide: the widest rows; `open_rows` if None.
    """
    wide = wide or open_rows(rows)
    inputs, slots = wide.encoder, wide.decoder.slots
    memory, predictions = 1, 1
    for objective in mixture.objectives().values():
        need = objective.lengths(objective.window(budget(wide)))
        if need is not None:
            memory = max(memory, need.inputs_predictions)
            in_place = 0 if inputs else need.inputs_predictions
            predictions = max(predictions, need.targets_predictions + in_place)
    most = wide.decoder.predictions
    predictions = min(most, max(predictions, rows.decoder.predictions))
    decoder = Capacity(slots, predictions)
    if inputs is None:
        return RowShape(decoder)
    assert rows.encoder is not None
    memory = min(inputs.predictions, max(memory, rows.encoder.predictions))
    return RowShape(decoder, Capacity(inputs.slots, memory))


def narrower(rows: RowShape) -> Iterator[RowShape]:
    """Rows from `open_rows` down to the rows themselves, the widest first."""
    wide = open_rows(rows)
    steps = max(1, wide.decoder.slots - rows.decoder.predictions)
    for step in range(steps, -1, -1):
        decoder = _between(rows.decoder, wide.decoder, step, steps)
        if rows.encoder is None or wide.encoder is None:
            yield RowShape(decoder)
        else:
            yield RowShape(decoder, _between(rows.encoder, wide.encoder, step, steps))


def _between(few: Capacity, many: Capacity, step: int, steps: int) -> Capacity:
    """A step of so many from one capacity to another, rounded down."""
    slots, predictions = (
        before + step * (after - before) // steps
        for before, after in zip(few, many, strict=True)
    )
    return Capacity(slots, predictions)


def _new_keys(mixture: Mixture, name: str) -> dict[str, float]:
    """Keys of `Mixture.rates` for a new objective, with their parts of its rate."""
    if any(rate > 0 for rate in mixture.corpora.values()):
        return {name: 1.0}
    keys: dict[str, float] = {}
    for task, rate in mixture.positive_rates().items():
        key = f"{split_task(task)[0]}.{name}"
        keys[key] = keys.get(key, 0.0) + rate
    return keys


def rounded(shares: Mapping[str, float]) -> dict[str, float]:
    """Rounds shares so that they sum to 1, each by less than a unit of the last digit.

    By largest remainder (Hamilton): all are rounded down, and those that lost most get
    the units that are left.
    """
    unit, total = 10**-DIGITS, sum(shares.values())
    exact = {name: share / total for name, share in shares.items()}
    # Small shares stay above 0, with digits of their own.
    written = {name: float(f"{x:.2g}") for name, x in exact.items() if x < unit}
    units = {n: math.floor(x / unit) for n, x in exact.items() if n not in written}
    left = (1.0 - sum(written.values())) / unit - sum(units.values())
    by_loss = sorted(units, key=lambda name: units[name] - exact[name] / unit)
    for name in by_loss:
        # Digits that small shares lost may add up to a little more than a unit.
        given = left if name == by_loss[-1] else min(1.0, left)
        written[name] = round((units[name] + given) * unit, 2 * DIGITS)
        left -= given
    return {name: written[name] for name in exact}
