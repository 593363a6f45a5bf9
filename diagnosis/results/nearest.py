"""Which study says most about a run: the one nearest to it in size and budget.

The distance is in decades, factors of ten: that of the parameters, and that of the
tokens, and one more if the study trained from scratch and the run goes on from a
checkpoint, or the other way round. That a change of kind weighs as much as ten times
the size is a convention; so is the sum, since no publication says how an objective's
effect changes with either. What is not known of the run adds nothing.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .effects import Effects

OTHER_KIND = 1.0
"""Decades that a study is further away if its runs began otherwise."""


class Run(NamedTuple):
    """The run that a memo is about.

    Attributes:
      parameters: of its model; None if not known.
      tokens: that it is to process; from a checkpoint, from then on. None if not known.
      adapts: whether it goes on from a checkpoint.
    """

    parameters: int | None = None
    tokens: int | None = None
    adapts: bool = False


class Choice(NamedTuple):
    """A study, and those that are nearer but say nothing of what was asked.

    Attributes:
      study: the nearest that does.
      passed: the nearer ones, nearest first.
    """

    study: Effects
    passed: tuple[Effects, ...]


def ranked(studies: Sequence[Effects], run: Run) -> tuple[Effects, ...]:
    """Studies, the nearest first; of two as near, the larger, then by setup.

    The order is that of the setups' words, the name first: it is the same in whatever
    order the studies come, as long as no two have one setup.
    """
    return tuple(
        sorted(
            studies,
            key=lambda study: (
                distance(study, run),
                -study.setup.parameters,
                -study.tokens,
                str(study.setup),
            ),
        )
    )


def nearest(
    studies: Sequence[Effects], run: Run, speaks: Callable[[Effects], bool]
) -> Choice | None:
    """The nearest study that speaks of something; None if there is none.

    Args:
      studies: in any order.
      run: that the memo is about.
      speaks: whether a study has what is asked, such as an objective's effect.
    """
    order = ranked(studies, run)
    for number, study in enumerate(order):
        if speaks(study):
            return Choice(study, order[:number])
    return None


def distance(study: Effects, run: Run) -> float:
    """Decades between a study and a run, 0 or more."""
    sizes = _decades(study.setup.parameters, run.parameters)
    budgets = _decades(study.tokens, run.tokens)
    kind = OTHER_KIND if adapts(study) != run.adapts else 0.0
    return sizes + budgets + kind


def adapts(study: Effects) -> bool:
    """Whether a study's runs began from a checkpoint."""
    return study.setup.original_tokens is not None


def _decades(studied: int, run: int | None) -> float:
    return 0.0 if run is None or not studied else abs(math.log10(run / studied))
