"""The best shares within limits: a linear programme for each choice of objectives.

A proposal adds a part to the rate and the loss of the objectives that act on failures.
Within limits each part may be a fraction of itself, and another objective that acts on
the same failure may stand in for it. Best is what supplies most of what the proposal
without limits supplies against each failure, weighted by severity; 1 is all of it.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import linprog

from ..scores.score import Failure
from ..traits.objective_traits import Traits
from .limits import Limits
from .remedies import supply
from .revision import Part

INFEASIBLE = 2
"""The status of `linprog` where no values satisfy all constraints."""

SLIGHT = 1e-6
"""Weight of what only breaks ties: kept objectives get no more than they must, and the
objective of the proposal without limits is preferred to a stand-in."""


class Terms(NamedTuple):
    """What shares are chosen by.

    Attributes:
      examples: share of each present objective and variant, now.
      loss: likewise.
      parts: whole ones, of the proposal without limits, and of stand-ins for them.
      first: number of parts before the stand-ins.
      traits: of all objectives that are present or have a part.
      aims: share of the loss against each failure in the proposal without limits.
      weights: of the failures.
      most_density: supervised tokens a processed token, at most.
    """

    examples: Mapping[str, float]
    loss: Mapping[str, float]
    parts: Sequence[Part]
    first: int
    traits: Mapping[str, Traits]
    aims: Mapping[Failure, float]
    weights: Mapping[Failure, float]
    most_density: float = np.inf


class Allocation(NamedTuple):
    """Shares within limits.

    Attributes:
      value: 0 to 1.
      examples: share of each objective; they sum to 1.
      loss: likewise.
      factors: fraction of each part.
    """

    value: float
    examples: Mapping[str, float]
    loss: Mapping[str, float]
    factors: tuple[float, ...]


def best(terms: Terms, limits: Limits) -> Allocation | None:
    """The best shares within limits; None if there are none."""
    allocations = [
        allocation
        for chosen in _choices(terms, limits)
        if (allocation := _solve(terms, limits, chosen)) is not None
    ]
    # Of equally good ones the first, which has the proposal's own objectives.
    return max(allocations, key=lambda one: round(one.value, 9), default=None)


def supplies(terms: Terms, loss: Mapping[str, float]) -> dict[Failure, float]:
    """Share of the loss against each failure."""
    return {
        failure: sum(s * supply(terms.traits[n], failure) for n, s in loss.items())
        for failure in terms.aims
    }


def _choices(terms: Terms, limits: Limits) -> Iterator[list[int]]:
    """Parts that may be taken together: one of each failure, and not too many new."""
    groups: dict[Failure, list[int]] = {}
    for number, part in enumerate(terms.parts):
        allowed = groups.setdefault(part.failure, [])
        if not limits.excludes(part.objective.name):
            allowed.append(number)
    for choice in itertools.product(*([*group, None] for group in groups.values())):
        chosen = [number for number in choice if number is not None]
        new = {terms.parts[n].objective.name for n in chosen} - set(terms.examples)
        if limits.most_new is None or len(new) <= limits.most_new:
            yield chosen


def _solve(terms: Terms, limits: Limits, chosen: Sequence[int]) -> Allocation | None:
    """The best shares with some of the parts; None if the limits allow none.

    Variables are a fraction of each part, what is left of the present objectives (of
    examples, of loss), what is added to each that is kept (likewise), and how much of
    its aim each failure gets, at most all.
    """
    present = [name for name in terms.examples if not limits.excludes(name)]
    kept = [name for name in present if limits.keeps(name)]
    parts = [terms.parts[number] for number in chosen]
    names = list(dict.fromkeys([*present, *(part.objective.name for part in parts)]))
    if not names:
        return None
    aims = [failure for failure, aim in terms.aims.items() if aim > 0]
    count = len(parts) + 2 + 2 * len(kept)
    examples = np.zeros((len(names), count + len(aims)))
    loss = np.zeros_like(examples)
    for number, part in enumerate(parts):
        examples[names.index(part.objective.name), number] = part.rate
        loss[names.index(part.objective.name), number] = part.loss
    for name in present:
        examples[names.index(name), len(parts)] = terms.examples[name]
        loss[names.index(name), len(parts) + 1] = terms.loss[name]
    for number, name in enumerate(kept, len(parts) + 2):
        examples[names.index(name), number] = 1.0
        loss[names.index(name), number + len(kept)] = 1.0

    gains = np.zeros(count + len(aims))
    gains[count:] = [terms.weights[failure] for failure in aims]
    gains[len(parts) + 2 : count] = -SLIGHT
    gains[: len(parts)] = [-SLIGHT * (number >= terms.first) for number in chosen]
    left = max(0.0, 1 - sum(part.loss for part in terms.parts[: terms.first]))
    bounds = [(0, 1)] * len(parts) + [(0, None), (left, None)]
    bounds += [(0, None)] * (2 * len(kept)) + [(0, 1)] * len(aims)

    rows, most = [], []
    for name in kept:
        rows += [-examples[names.index(name)], -loss[names.index(name)]]
        most += [-terms.examples[name], -terms.loss[name]]
    for number, failure in enumerate(aims, count):
        row = -_supply(terms, names, failure) @ loss
        row[number] = terms.aims[failure]
        rows, most = [*rows, row], [*most, 0.0]
    others = [names.index(name) for name in present if name not in kept]
    processed = np.array([terms.traits[name].processed for name in names])
    if others and (least := _least_slots(terms, [names[n] for n in others])):
        row = least * processed @ examples - processed[others] @ examples[others]
        rows, most = [*rows, row], [*most, 0.0]
    if np.isfinite(terms.most_density):
        supervised = np.array([terms.traits[name].supervised for name in names])
        row = (supervised - terms.most_density * processed) @ examples
        rows, most = [*rows, row], [*most, 0.0]
    solution = linprog(
        -gains,
        A_ub=np.array(rows) if rows else None,
        b_ub=most or None,
        A_eq=np.array([examples.sum(0), loss.sum(0)]),
        b_eq=[1.0, 1.0],
        bounds=bounds,
    )
    if solution.status == INFEASIBLE:
        return None
    assert solution.success, solution.message
    return _allocation(terms, names, chosen, solution.x, examples, loss, count)


def _allocation(
    terms: Terms,
    names: Sequence[str],
    chosen: Sequence[int],
    variables: Float[np.ndarray, " V"],
    examples: Float[np.ndarray, "N V"],
    loss: Float[np.ndarray, "N V"],
    first_aim: int,
) -> Allocation:
    """The shares that variables stand for."""
    weights = [terms.weights[failure] for failure, aim in terms.aims.items() if aim > 0]
    factors = dict(zip(chosen, variables.tolist(), strict=False))
    return Allocation(
        float(variables[first_aim:] @ np.array(weights)),
        dict(zip(names, (examples @ variables).tolist(), strict=True)),
        dict(zip(names, (loss @ variables).tolist(), strict=True)),
        tuple(factors.get(number, 0.0) for number in range(len(terms.parts))),
    )


def _supply(
    terms: Terms, names: Sequence[str], failure: Failure
) -> Float[np.ndarray, " N"]:
    return np.array([supply(terms.traits[name], failure) for name in names])


def _least_slots(terms: Terms, names: Sequence[str]) -> float:
    """Share of the slots that present objectives keep without limits, together.

    At most that of the loss which they keep, of the share of the slots that they have.
    """
    processed = {name: traits.processed for name, traits in terms.traits.items()}
    parts = terms.parts[: terms.first]
    own = {name: share * processed[name] for name, share in terms.examples.items()}
    added = sum(part.rate * processed[part.objective.name] for part in parts)
    some, total = sum(own[name] for name in names), sum(own.values())
    rate, loss = (
        max(0.0, 1 - sum(getattr(part, field) for part in parts))
        for field in ("rate", "loss")
    )
    return min(loss * some / total, rate * some / (rate * total + added))
