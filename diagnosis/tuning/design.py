"""Which mixtures to try: the corners, what is known, and draws between them."""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from ...objectives.errors import UsageError, nearest, require_count, require_seed
from .region import DECIMALS, region
from .table import HELD_OUT

KINDS = {
    "current": "the mixture in use",
    "recipes": "mixtures that are known",
    "uniform": "all components alike",
    "vertices": "each component alone",
    "leave_one_out": "the current mixture, or the uniform one, without one component",
    "dirichlet": "random draws around the uniform and the current mixture, in turn; "
    "between bounds: uniform",
}
"""The kinds of mixtures, in the order in which they come."""

MOST = 100_000
"""Mixtures of a design."""

CONCENTRATION = (0.3, 3.0)
"""Range of the sum of a draw's Dirichlet parameters over K, drawn log-uniformly.

Small ones give mixtures of few components, large ones mixtures near the centre.
"""

WEIGHT_SPREAD = 0.8
"""Standard deviation of the logarithm of a component's weight in the loss."""

MOST_WEIGHT = 4.0
"""Largest factor between shares of the examples and of the loss, before they sum to 1:
a component of few examples and much loss has noisy gradients."""

_GIVEN = ("current", "recipes")
"""Kinds of mixtures that bounds do not leave out."""

_UNIFORM_PART = 0.1
_TRIES = 1000
"""Draws in a row that may find nothing new: there is then little left to find."""

Shares = Float64[np.ndarray, " K"]


class Designed(NamedTuple):
    """A mixture to try.

    Attributes:
      name: of its own.
      kind: one of `KINDS`, or `table.HELD_OUT`.
      shares: of the examples of each component; they sum to 1.
      loss: shares of the loss; None for those of the examples.
    """

    name: str
    kind: str
    shares: Shares
    loss: Shares | None = None

    def loss_or_rates(self) -> Shares:
        """Shares of the loss, which are those of the examples by default."""
        return self.shares if self.loss is None else self.loss


def design(
    components: Sequence[str],
    *,
    count: int,
    seed: int,
    current: Mapping[str, float] | None = None,
    recipes: Mapping[str, Mapping[str, float]] | None = None,
    kinds: Collection[str] = tuple(KINDS),
    held_out: int = 0,
    between: Mapping[str, tuple[float, float]] | None = None,
    weighed: Collection[str] = (),
) -> list[Designed]:
    """Different mixtures: every one of the fixed kinds, then draws up to the count.

    Those held out come on top of the count, and from a stream of their own: the others
    do not depend on how many there are.

    Between bounds all draws are within them, and uniform; of the fixed kinds only the
    current mixture and recipes, which are given, may be outside.

    Args:
      components: names, at least two.
      count: of mixtures.
      seed: of the draws.
      current: rates of the mixture in use, by component.
      recipes: rates of others, by name.
      kinds: that are wanted.
      held_out: mixtures to test on.
      between: the least and the most share of the examples, by component.
      weighed: names of mixtures with shares of the loss of their own, which are kept
        beside another one of the same rates.

    Raises:
      UsageError: a mixture has a rate of no component, two have one name, the count is
        less than the fixed mixtures or more than can be found, or no mixture is
        between the bounds.
    """
    require_count("--count", count, most=MOST)
    require_count("--held_out", held_out, least=0, most=MOST)
    require_seed("--seed", seed)
    for kind in kinds:
        if kind not in KINDS:
            raise UsageError(f"no kind of mixtures {kind!r}; {nearest(kind, KINDS)}")
    known = {
        name: _shares(name, rates, components)
        for name, rates in (recipes or {}).items()
    }
    now = None if current is None else _shares("current", current, components)
    within = None if not between else region(components, between)
    fixed = [
        each
        for each in _fixed(components, now, known)
        if each.kind in kinds
        and (within is None or each.kind in _GIVEN or within.holds(each.shares))
    ]
    chosen: dict[bytes, Designed] = {}
    for each in fixed:
        own = each.name.encode() if each.name in weighed else b""
        chosen.setdefault(_rounded(each.shares).tobytes() + own, each)
    if len(chosen) > count:
        raise UsageError(
            f"--count is {count}, and {len(chosen)} mixtures are given or follow from "
            f"the components ({', '.join(dict.fromkeys(d.kind for d in fixed))}); give "
            f"--count={len(chosen)} or more, or fewer --kinds."
        )

    def draws(rng: np.random.Generator) -> Iterator[Shares]:
        return _around(components, now, rng) if within is None else within.draws(rng)

    if "dirichlet" in kinds:
        _add(chosen, draws(np.random.default_rng(seed)), count, "dirichlet")
    if held_out:
        total = len(chosen) + held_out
        _add(chosen, draws(np.random.default_rng([seed, 1])), total, HELD_OUT)
    _check_apart([*fixed, *chosen.values()])
    return [each._replace(shares=_rounded(each.shares)) for each in chosen.values()]


def with_loss_shares(
    designed: Sequence[Designed],
    components: Sequence[str],
    known: Mapping[str, Mapping[str, float]],
    *,
    seed: int,
) -> list[Designed]:
    """The same mixtures with shares of the loss of their own.

    Draws weigh each component by a log-normal factor, which is a further dimension of
    the design; fixed mixtures keep the shares of the examples, or those that are known.

    Args:
      designed: as `design` makes them.
      components: their names.
      known: shares of the loss by component, of mixtures by name.
      seed: of the draws.
    """
    rng, weighed = np.random.default_rng([seed, 2]), []
    for each in designed:
        if each.name in known:
            loss = _shares(each.name, known[each.name], components)
        elif each.kind in ("dirichlet", HELD_OUT):
            factors = np.exp(WEIGHT_SPREAD * rng.standard_normal(len(components)))
            loss = each.shares * np.clip(factors, 1 / MOST_WEIGHT, MOST_WEIGHT)
        else:
            loss = each.shares
        weighed.append(each._replace(loss=_rounded(loss / loss.sum())))
    return weighed


def _fixed(
    components: Sequence[str], current: Shares | None, recipes: Mapping[str, Shares]
) -> Iterator[Designed]:
    uniform = np.full(len(components), 1 / len(components))
    if current is not None:
        yield Designed("current", "current", current)
    for name, shares in recipes.items():
        yield Designed(name, "recipes", shares)
    yield Designed("uniform", "uniform", uniform)
    for n, name in enumerate(components):
        yield Designed(name, "vertices", np.eye(len(components))[n])
    base = uniform if current is None else current
    for n, name in enumerate(components):
        rest = base * (np.arange(len(components)) != n)
        # Nothing is left out where nothing was in.
        if 0 < rest.sum() < base.sum():
            yield Designed(f"without_{name}", "leave_one_out", rest / rest.sum())


def _around(
    components: Sequence[str], current: Shares | None, rng: np.random.Generator
) -> Iterator[Shares]:
    """Draws around the uniform and the current mixture in turn, from sparse to even."""
    size = len(components)
    uniform = np.full(size, 1 / size)
    centres = [uniform]
    if current is not None:
        centres.append((1 - _UNIFORM_PART) * current + _UNIFORM_PART * uniform)
    low, high = np.log(CONCENTRATION)
    for centre in itertools.cycle(centres):
        weight = size * np.exp(rng.uniform(low, high))
        yield rng.dirichlet(weight * centre)


def _add(
    chosen: dict[bytes, Designed], draws: Iterator[Shares], count: int, kind: str
) -> None:
    """Adds draws that are not there yet, up to a count."""
    prefix = "held" if kind == HELD_OUT else "draw"
    number, missed = 0, 0
    while len(chosen) < count:
        if missed == _TRIES:
            raise UsageError(
                f"{count} mixtures are asked for, and only {len(chosen)} with shares "
                f"of {DECIMALS} decimals were found; give a smaller --count or "
                "--held_out, or wider bounds."
            )
        drawn = _rounded(next(draws))
        if drawn.tobytes() in chosen:
            missed += 1
            continue
        chosen[drawn.tobytes()] = Designed(f"{prefix}_{number}", kind, drawn)
        number, missed = number + 1, 0


def _check_apart(designed: Sequence[Designed]) -> None:
    """Refuses different mixtures of one name: a row is known by it."""
    named: dict[str, Designed] = {}
    for each in designed:
        first = named.setdefault(each.name, each)
        if not np.array_equal(_rounded(first.shares), _rounded(each.shares)):
            raise UsageError(
                f"two mixtures are named {each.name!r} ({first.kind} and {each.kind}); "
                "rename the recipe's file or the component, or leave one of the "
                "--kinds out."
            )


def _shares(name: str, rates: Mapping[str, float], components: Sequence[str]) -> Shares:
    for component in rates:
        if component not in components:
            raise UsageError(
                f"mixture {name!r} has {component!r}, which is none of --components; "
                + nearest(component, components)
            )
    shares = np.array([float(rates.get(c, 0.0)) for c in components])
    return shares / shares.sum()


def _rounded(shares: Shares) -> Shares:
    """Shares of `DECIMALS` that sum to 1: the largest remainders are rounded up."""
    units = shares * 10**DECIMALS
    whole = np.floor(units + 1e-9)
    missing = round(10**DECIMALS - whole.sum())
    whole[np.argsort(-(units - whole), kind="stable")[:missing]] += 1
    return whole / 10**DECIMALS
