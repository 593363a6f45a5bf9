"""What becomes of a trained incumbent: branches from its checkpoint, and from scratch.

UL2R (Tay et al. 2022, arXiv 2210.11399) and T5's language-model adaptation (Lester et
al. 2021, arXiv 2104.08691) train a finished model on with other objectives for a small
share of its tokens.
"""

import dataclasses
from collections.abc import Callable, Collection, Sequence
from typing import Literal, get_args

import optax

from ...objectives.errors import UsageError, nearest, require_share

BASE = "base"
"""The incumbent from scratch, from which branches begin."""

Scratch = Literal["equal", "grown"]
"""Tokens of a run from scratch: those of the base, or as many more as the incumbent's
own objectives need to see as many as in the base."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Adaptation:
    """How a study branches from its incumbent.

    The incumbent is trained for `study.tokens`, once a seed: the base. From its
    parameters, with a fresh optimiser and other rows than it read first, go on: every
    mix of the study (the incumbent itself among them, with which the others are
    compared), the incumbent with one objective of the revised mix added, and the
    revised mix with one left out.

    A branch is a run of its own for each budget, as long as that, with a learning rate
    of its own. What the learning rates of two budgets have in common is trained once:
    all of the shorter one where the rate stays constant, and all but its decay where it
    falls at the end (Hägele et al. 2024, arXiv 2405.18392).

    Attributes:
      revised: the mix whose objectives are added and left out.
      schedule: makes the learning rate of a branch from its `steps`.
      budgets: tokens of the branches, as shares of `study.tokens`, ascending.
      additions: whether each objective that the incumbent lacks is added alone.
      ablations: whether each objective of the revised mix is left out once.
      scratch: from-scratch runs of the revised mix.
    """

    revised: str
    schedule: Callable[..., optax.Schedule]
    budgets: Sequence[float] = (0.02, 0.05, 0.1, 0.25)
    additions: bool = True
    ablations: bool = True
    scratch: Sequence[Scratch] = ("equal", "grown")

    def __post_init__(self):
        budgets = tuple(self.budgets)
        if not budgets or list(budgets) != sorted(set(budgets)):
            raise UsageError(
                f"Adaptation.budgets is {budgets}; give shares of study.tokens, "
                "ascending, such as (0.02, 0.05, 0.1, 0.25)."
            )
        for budget in budgets:
            require_share("Adaptation.budgets", budget)
        if budgets[0] == 0:
            raise UsageError("Adaptation.budgets has 0; the base is measured anyway.")
        if len(set(self.scratch)) < len(self.scratch):
            raise UsageError(
                f"Adaptation.scratch is {tuple(self.scratch)}; give each kind once."
            )

    def lengths(self, tokens: int) -> tuple[int, ...]:
        """Tokens of the branches of a base of so many, ascending.

        Raises:
          UsageError: a budget comes to none, or two come to the same.
        """
        lengths = [round(share * tokens) for share in self.budgets]
        for length, share in zip(lengths, self.budgets, strict=True):
            if length == 0 or lengths.count(length) > 1:
                raise UsageError(
                    f"Adaptation.budgets has {share}, which comes to {length:,} tokens "
                    f"of study.tokens = {tokens:,}"
                    f"{', and so does another' if length else ''}; give budgets that "
                    "are tokens apart."
                )
        return tuple(lengths)

    def require_names(self, mixes: Collection[str], *, incumbent: str) -> None:
        """Refuses mixes that have the name of an arm that a study makes itself.

        Raises:
          UsageError: one has; or the revised mix is none, or the incumbent.
        """
        if self.revised not in mixes:
            raise UsageError(
                f"Adaptation.revised is {self.revised!r}, which is no mix; "
                + nearest(self.revised, mixes)
            )
        if self.revised == incumbent:
            raise UsageError(
                f"Adaptation.revised is {self.revised!r}, the incumbent, which goes on "
                "anyway; give the mix that it is revised to."
            )
        from_scratch = [f"{self.revised}.{kind}" for kind in get_args(Scratch)]
        for name in mixes:
            if name in (BASE, *from_scratch) or name.startswith(("+", "-")):
                raise UsageError(
                    f"study.mixes has {name!r}; a study with an adaptation names arms "
                    f"of its own so ({BASE}, {', '.join(from_scratch)}, +OBJECTIVE, "
                    "-OBJECTIVE): give the mix another name."
                )
