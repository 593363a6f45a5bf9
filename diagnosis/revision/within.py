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
    aims: Mapping[str, float]
    weights: Mapping[str, float]
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
    """The best shares within limits; None if there are none.

    Present objectives divide what is left to them as they do now, but for those that
    are kept. Where a cost is limited, others are kept too if more is supplied with
    them: an objective that predicts little is cheap.
    """
    others = [
        name
        for name in terms.examples
        if not limits.excludes(name) and not limits.keeps(name)
    ]
    most = len(others) if np.isfinite(terms.most_density) else 0
    allocations = [
        allocation
        for more in range(most + 1)
        for kept in itertools.combinations(others, more)
        for allocation in _allocations(
            terms, limits._replace(keep=(*limits.keep, *kept))
        )
    ]
    # Of equally good ones the first, which keeps the fewest more and has the proposal's
    # own objectives.
    return max(allocations, key=lambda one: round(one.value, 9), default=None)


def _allocations(terms: Terms, limits: Limits) -> Iterator[Allocation]:
    """The best shares with each choice of parts that the limits allow."""
    for chosen in _choices(terms, limits):
        allocation = _solve(terms, limits, chosen)
        if allocation is not None:
            yield allocation


def supplies(terms: Terms, loss: Mapping[str, float]) -> dict[str, float]:
    """Share of the loss against each failure."""
    return {
        failure: sum(s * supply(terms.traits[n], failure) for n, s in loss.items())
        for failure in terms.aims
    }


def _choices(terms: Terms, limits: Limits) -> Iterator[Sequence[int]]:
    """Parts that may be taken together: one of each failure, and not too many new."""
    groups: dict[str, list[int]] = {}
    for number, part in enumerate(terms.parts):
        for failure in part.failures:
            allowed = groups.setdefault(failure, [])
            if not limits.excludes(part.objective.name):
                allowed.append(number)
    # A part may also come to nothing, which is to leave it out, but is still counted.
    few = limits.most_new is not None
    options = [
        [*group, None] if few or not group else group for group in groups.values()
    ]
    # A part may act on several failures: it is taken once, and each choice made once.
    choices = dict.fromkeys(
        tuple(dict.fromkeys(n for n in choice if n is not None))
        for choice in itertools.product(*options)
    )
    for chosen in choices:
        new = {terms.parts[n].objective.name for n in chosen} - set(terms.examples)
        if limits.most_new is None or len(new) <= limits.most_new:
            yield chosen


def _solve(terms: Terms, limits: Limits, chosen: Sequence[int]) -> Allocation | None:
    """The best shares with some of the parts; None if the limits allow none."""
    present = [name for name in terms.examples if not limits.excludes(name)]
    added = [terms.parts[number].objective.name for number in chosen]
    names = list(dict.fromkeys([*present, *added]))
    if not names:
        return None
    kept = [name for name in present if limits.keeps(name)]
    aims = [failure for failure, aim in terms.aims.items() if aim > 0]
    forms = _forms(terms, chosen, names, present, kept, len(aims))
    gains = np.zeros(forms.variables)
    gains[: len(chosen)] = [-SLIGHT * (number >= terms.first) for number in chosen]
    gains[len(chosen) + 2 :] = -SLIGHT
    gains[forms.variables - len(aims) :] = [terms.weights[failure] for failure in aims]
    left = max(0.0, 1 - sum(part.loss for part in terms.parts[: terms.first]))
    bounds = [(0, 1)] * len(chosen) + [(0, None), (left, None)]
    bounds += [(0, None)] * (2 * len(kept)) + [(0, 1)] * len(aims)
    others = [name for name in present if name not in kept]
    constraints = list(_constraints(terms, forms, kept, others, aims))
    solution = linprog(
        -gains,
        A_ub=np.array([row for row, _ in constraints]) if constraints else None,
        b_ub=[most for _, most in constraints] or None,
        A_eq=np.array([forms.examples.sum(0), forms.loss.sum(0)]),
        b_eq=[1.0, 1.0],
        bounds=bounds,
    )
    if solution.status == INFEASIBLE:
        return None
    assert solution.success, solution.message
    factors = dict(zip(chosen, solution.x.tolist(), strict=False))
    reached = solution.x[forms.variables - len(aims) :]
    return Allocation(
        float(sum(terms.weights[f] * r for f, r in zip(aims, reached, strict=True))),
        dict(zip(names, (forms.examples @ solution.x).tolist(), strict=True)),
        dict(zip(names, (forms.loss @ solution.x).tolist(), strict=True)),
        tuple(factors.get(number, 0.0) for number in range(len(terms.parts))),
    )


class _Forms(NamedTuple):
    """Shares as linear forms in the variables.

    Variables are a fraction of each part; what is left of the present objectives, of
    examples and of loss; what is added to each that is kept, likewise; and how much of
    its aim each failure reaches, at most all.

    Attributes:
      names: of objectives, one a row.
      examples: coefficients of the share of the examples.
      loss: of the share of the loss.
    """

    names: Sequence[str]
    examples: Float[np.ndarray, "N V"]
    loss: Float[np.ndarray, "N V"]

    @property
    def variables(self) -> int:
        return self.examples.shape[1]

    def row(self, name: str) -> int:
        return self.names.index(name)


def _forms(
    terms: Terms,
    chosen: Sequence[int],
    names: Sequence[str],
    present: Sequence[str],
    kept: Sequence[str],
    aims: int,
) -> _Forms:
    count = len(chosen) + 2 + 2 * len(kept) + aims
    forms = _Forms(names, np.zeros((len(names), count)), np.zeros((len(names), count)))
    for variable, part in enumerate(terms.parts[number] for number in chosen):
        row = forms.row(part.objective.name)
        forms.examples[row, variable] = part.rate
        forms.loss[row, variable] = part.loss
    for name in present:
        forms.examples[forms.row(name), len(chosen)] = terms.examples[name]
        forms.loss[forms.row(name), len(chosen) + 1] = terms.loss[name]
    for variable, name in enumerate(kept, len(chosen) + 2):
        forms.examples[forms.row(name), variable] = 1.0
        forms.loss[forms.row(name), variable + len(kept)] = 1.0
    return forms


def _constraints(
    terms: Terms,
    forms: _Forms,
    kept: Sequence[str],
    others: Sequence[str],
    aims: Sequence[str],
) -> Iterator[tuple[Float[np.ndarray, " V"], float]]:
    """Rows of coefficients, and what they come to at most."""
    for name in kept:
        yield -forms.examples[forms.row(name)], -terms.examples[name]
        yield -forms.loss[forms.row(name)], -terms.loss[name]
    for variable, failure in enumerate(aims, forms.variables - len(aims)):
        acts = [supply(terms.traits[name], failure) for name in forms.names]
        row = -np.array(acts) @ forms.loss
        row[variable] = terms.aims[failure]
        yield row, 0.0
    processed = np.array([terms.traits[name].processed for name in forms.names])
    if others:
        own = [forms.row(name) for name in others]
        slots = processed[own] @ forms.examples[own]
        yield _least_slots(terms, others) * (processed @ forms.examples) - slots, 0.0
    if np.isfinite(terms.most_density):
        supervised = np.array([terms.traits[n].supervised for n in forms.names])
        yield (supervised - terms.most_density * processed) @ forms.examples, 0.0


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
