"""A proposal within limits, and what each of them costs."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ...models.rows import RowShape
from ...objectives.errors import UsageError
from ..traits.traits import MixtureTraits
from ..wording import percent
from .draft import Draft, Precedent, Revision, measured
from .limits import Limits, RowCost, density, sizes, token_cost
from .revision import (
    DIGITS,
    Part,
    fitting_rows,
    narrower,
    open_rows,
    revised,
    shared_out,
)
from .rule import supplied
from .stand_ins import stand_ins
from .within import Allocation, Terms, best, supplies

LITTLE = 0.002
"""Share of the loss below which a difference is one of rounding and sampling."""

GRID = 4
"""Steps from the widest rows of an encoder–decoder to the present ones, all tried."""

WHOLE = 0.999
"""Fraction of a part from which it counts as whole."""


class LimitCost(NamedTuple):
    """What a limit costs.

    Attributes:
      limit: the option that asks for it, or all of them.
      supplies: share of the loss against each failure, without limits and within it.
    """

    limit: str
    supplies: Mapping[str, tuple[float, float]]

    def lost(self) -> dict[str, tuple[float, float]]:
        """The failures against which less is supplied, by more than rounding."""
        return {
            failure: (before, after)
            for failure, (before, after) in self.supplies.items()
            if before - after > LITTLE
        }


class Limited(NamedTuple):
    """What limits cost, and whether they bind.

    Attributes:
      costs: of each limit alone; of several also of all together, which comes last.
      token_cost: of the proposal relative to now; None if it was not limited.
      followed: the mix of a study that would be followed without limits.
    """

    costs: tuple[LimitCost, ...]
    token_cost: float | None
    followed: Precedent | None


def within(
    revision: Revision, free: Draft, limits: Limits, row_cost: RowCost | None
) -> tuple[Draft, Limited]:
    """The best mixture within limits.

    Args:
      revision: what is revised.
      free: its draft without limits, which is returned if it keeps them.
      limits: checked by `limits.check`.
      row_cost: operations for a row; needed for `most_cost`.

    Raises:
      UsageError: no mixture keeps the limits. The message says which clash, and what
        would do.
    """
    search = _Search(revision, free, row_cost)
    costs = []
    options = list(limits.each())
    for option, one in [*options, *([(limits.text, limits)] * (len(options) > 1))]:
        left = search.supplies_within(one)
        change = {f: (before, left[f]) for f, before in search.aims.items()}
        costs.append(LimitCost(option, change))
    chosen = search.draft_within(limits)
    cost = search.relative_cost(chosen) if limits.most_cost is not None else None
    return chosen, Limited(tuple(costs), cost, free.followed)


class _Search:
    """Searches within several limits, with what they share measured once."""

    def __init__(self, revision: Revision, free: Draft, row_cost: RowCost | None):
        self._revision, self._free, self._row_cost = revision, free, row_cost
        self.aims: dict[str, float] = {
            s.failure: supplied(free.traits, s.failure) for s in revision.severities
        }
        self._by_cost: dict[float | None, list[tuple[RowShape, Terms]]] = {}

    def supplies_within(self, limits: Limits) -> Mapping[str, float]:
        """Share of the loss against each failure in the best mixture within limits."""
        if self.keeps(self._free, limits):
            return self.aims
        _, terms, allocation = self._best(limits)
        return supplies(terms, allocation.loss)

    def draft_within(self, limits: Limits) -> Draft:
        """The best mixture within limits."""
        if self.keeps(self._free, limits):
            return self._free
        wide, terms, allocation = self._best(limits)
        revision = self._revision
        parts = [
            _limited(part, factor, limits)
            for part, factor in zip(terms.parts, allocation.factors, strict=True)
            if factor > 10**-DIGITS
        ]
        after = shared_out(
            revision.mixture,
            {part.objective.name: part.objective for part in parts},
            _positive(allocation.examples),
            _positive(allocation.loss),
        )
        rows = fitting_rows(revision.rows, after, wide=wide) if parts else revision.rows
        chosen = Draft(after, rows, measured(revision, after, rows), tuple(parts), None)
        if not self.keeps(chosen, Limits(most_cost=limits.most_cost)):
            # Rows just wide enough for one Example may leave slots empty.
            chosen = chosen._replace(rows=wide, traits=measured(revision, after, wide))
        return chosen

    def keeps(self, draft: Draft, limits: Limits) -> bool:
        """Whether a draft keeps limits, to the digits of a rate that is written."""
        before, after = self._revision.traits, draft.traits
        names = before.objectives
        new = [name for name in after.objectives if name not in names]
        kept = filter(limits.keeps, names)
        least = 1 - 10**-DIGITS
        return (
            (limits.most_new is None or len(new) <= limits.most_new)
            and not any(map(limits.excludes, after.objectives))
            and all(
                after.examples.get(name, 0.0) >= before.examples[name] * least
                and after.loss.get(name, 0.0) >= before.loss[name] * least
                for name in kept
            )
            and (
                limits.most_cost is None
                or self.relative_cost(draft) * least <= limits.most_cost
            )
        )

    def relative_cost(self, draft: Draft) -> float:
        """The cost of a processed token relative to now."""
        return self._token_cost(draft.rows, draft.traits) / self._now

    @property
    def _now(self) -> float:
        return self._token_cost(self._revision.rows, self._revision.traits)

    def _token_cost(self, rows: RowShape, traits: MixtureTraits) -> float:
        assert self._row_cost is not None
        mean = density(traits.examples, traits.objectives)
        return token_cost(self._row_cost, rows, mean)

    def _best(self, limits: Limits) -> tuple[RowShape, Terms, Allocation]:
        """The best shares within limits, and the rows that they are best on."""
        found = [
            (rows, terms, allocation)
            for rows, terms in self._options(limits.most_cost)
            if (allocation := best(terms, limits)) is not None
        ]
        if not found:
            raise UsageError(self._clash(limits))
        # Of equally good ones the first, which has the widest rows.
        return max(found, key=lambda one: round(one[2].value, 9))

    def _options(self, most_cost: float | None) -> list[tuple[RowShape, Terms]]:
        """Rows that a cost allows, and what shares are chosen by on them."""
        if most_cost not in self._by_cost:
            rows = [open_rows(self._revision.rows)]
            if most_cost is not None:
                rows = self._affordable(most_cost)
            options = [(one, self._terms(one, most_cost)) for one in rows]
            self._by_cost[most_cost] = options
        return self._by_cost[most_cost]

    def _affordable(self, most_cost: float) -> list[RowShape]:
        """The widest rows that a cost allows, and some less wide ones.

        Wider rows of a decoder predict more at the same slots, so that the widest are
        best. Those of an encoder–decoder have more slots as well, and may not be.
        """
        every = list(narrower(self._revision.rows))
        some = every[:: max(1, len(every) // GRID)] if every[0].encoder else []
        widest = next(rows for rows in every if self._fits(rows, most_cost))
        others = [rows for rows in some if self._fits(rows, most_cost)]
        return [widest, *(rows for rows in others if rows != widest)]

    def _terms(self, rows: RowShape, most_cost: float | None) -> Terms:
        revision, most_density = self._revision, np.inf
        if most_cost is not None:
            assert self._row_cost is not None
            room = sizes(rows)[1] * most_cost * self._now
            most_density = room / self._row_cost(rows)
        first = list(revision.parts_on(rows).parts)
        parts = [*first, *stand_ins(revision.mixture, first, rows)]
        total = sum(s.value for s in revision.severities) or 1.0
        return Terms(
            revision.traits.examples,
            revision.traits.loss,
            parts,
            len(first),
            _pool(revision, parts, rows),
            self.aims,
            {s.failure: s.value / total for s in revision.severities},
            most_density,
        )

    def _fits(self, rows: RowShape, most_cost: float) -> bool:
        assert self._row_cost is not None
        # Less than one in 10⁹ is rounding.
        most = most_cost * self._now * (1 + 1e-9)
        return token_cost(self._row_cost, rows, 0.0) <= most

    def _clash(self, limits: Limits) -> str:
        """Which limits no mixture keeps, and what would do."""
        left = {
            name: share
            for name, share in self._revision.traits.examples.items()
            if not limits.excludes(name)
        }
        ruled_out = " ".join(f"--without={name}" for name in limits.without)
        if not left or limits.most_cost is None:
            return (
                f"{ruled_out}: without these too little is left to make a mixture of; "
                "leave one of them out."
            )
        assert self._row_cost is not None
        mean = density(left, self._revision.traits.objectives)
        least = min(
            token_cost(self._row_cost, r, mean) for r in narrower(self._revision.rows)
        )
        enough = np.ceil(1000 * least / self._now) / 1000
        return (
            f"--most_cost={limits.most_cost:g} and {ruled_out} clash: what is left of "
            "the mixture predicts more of what it processes, so that a processed token "
            f"costs more; --most_cost={enough:g} would do."
        )


def _pool(revision: Revision, parts: Sequence[Part], rows: RowShape):
    """Traits of all objectives that are present or have a part, on some rows."""
    unique = {part.objective.name: part for part in parts}
    share = 0.5 / max(1, len(unique))
    some = [part._replace(rate=share, loss=share) for part in unique.values()]
    pool = revised(revision.mixture, some, revision.traits.loss)
    return measured(revision, pool, rows).objectives


def _limited(part: Part, factor: float, limits: Limits) -> Part:
    """A fraction of a part, with what it is a fraction of."""
    what = "all" if factor >= WHOLE else percent(factor)
    return part._replace(
        rate=factor * part.rate,
        loss=factor * part.loss,
        source=f"{what} of its part, as much as {limits.text} allows: {part.source}",
    )


def _positive(shares: Mapping[str, float]) -> dict[str, float]:
    """Shares that are more than rounding."""
    return {name: share for name, share in shares.items() if share > 1e-9}
