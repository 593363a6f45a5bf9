"""Every objective by name. A file in this folder is found by itself."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from .budget import Budget, largest_window
from .discovery import modules_of
from .errors import UsageError, nearest
from .example import Example, Lengths
from .special_ids import SpecialIds
from .text import Text, Tokens

CAPACITY = 32
"""Most objectives there can be: the size of every per-objective array of a step."""

Answers = Literal["hidden", "shown"]

_FEW = range(1, 65)
"""Tokens among which the fewest that an objective takes are looked for."""

_OBJECTIVES: dict[str, "Objective"] = {}


@dataclass(frozen=True)
class Objective:
    """A registered objective, with its settings bound.

    Attributes:
      name: its name in tasks and mixtures; `x64/span_corruption` is a variant of
        `span_corruption` with settings of its own.
      id: its number in `Example.objective`. Recorded with the data: never reused.
      function: `(text, rng, ids, **settings) -> Example`.
      measure: `(tokens, **settings) -> Lengths | None`.
      settings: every setting of `function`, by name.
      answers: "hidden" where no slot may see the token that it predicts; "shown"
        where some do by definition: BERT's kept tokens, what a reconstruction copies.
      acts: `(tokens, ids, **settings) -> bool`, whether every setting can act on a
        window; None where they always do.
    """

    name: str
    id: int
    function: Callable[..., Example]
    measure: Callable[..., Lengths | None]
    settings: Mapping[str, Any] = field(hash=False)
    answers: Answers = "hidden"
    acts: Callable[..., bool] | None = None

    @property
    def base(self) -> str:
        """The name without the variant's: that of metrics and loss shares."""
        return base_name(self.name)

    def with_settings(self, **settings: Any) -> "Objective":
        """The same objective with some settings replaced."""
        for setting in settings:
            if setting not in self.settings:
                raise UsageError(
                    f"objective {self.name!r} has no setting {setting!r}; "
                    + nearest(setting, self.settings)
                )
        return replace(self, settings={**self.settings, **settings})

    def __call__(
        self, text: Text, rng: np.random.Generator, ids: SpecialIds
    ) -> Example:
        """Makes the Example of a window of text."""
        return self.function(text, rng, ids, **self.settings)

    def can_act(self, tokens: Tokens, ids: SpecialIds) -> bool:
        """Whether the settings can have an effect on a window of these tokens.

        Whole words cannot be masked in a text of one word, nor sentences shuffled in a
        text of one sentence.
        """
        if self.acts is None:
            return True
        parameters = inspect.signature(self.acts).parameters
        bound = {k: v for k, v in self.settings.items() if k in parameters}
        return self.acts(tokens, ids, **bound)

    def lengths(self, tokens: int) -> Lengths | None:
        """The largest sizes of an Example of so many raw tokens; None if not taken."""
        parameters = inspect.signature(self.measure).parameters
        bound = {k: v for k, v in self.settings.items() if k in parameters}
        return self.measure(tokens, **bound)

    def window(self, budget: Budget) -> int:
        """How many raw tokens fit the budget.

        Raises:
          ValueError: not even the smallest Example fits; or inputs and targets need a
            stream each, and the budget is that of one for both.
        """
        if self.apart is not None and budget.slots is not None:
            raise UsageError(
                f"rows have one stream for inputs and targets, and {self.name!r} needs "
                f"one for each: {self.apart}"
            )
        window = largest_window(self.lengths, budget)
        if window == 0:
            raise UsageError(
                f"no Example of {self.name!r} with {dict(self.settings)} fits "
                f"{budget}; give it more slots or predictions."
            )
        return window

    @property
    def apart(self) -> str | None:
        """Why its inputs and targets need a stream each; None if they do not."""
        taken = filter(None, map(self.lengths, _FEW))
        first = next(taken, None)
        return first and first.apart

    def smallest(self) -> int:
        """The fewest raw tokens that the objective takes."""
        return next(n for n in _FEW if self.lengths(n) is not None)


def objective(
    *,
    id: int,
    measure: Callable[..., Lengths | None],
    answers: Answers = "hidden",
    acts: Callable[..., bool] | None = None,
):
    """Registers a function as the objective of its name.

    Args:
      id: its number in `Example.objective`, unique, below `CAPACITY`.
      measure: `(tokens, **settings) -> Lengths | None`, the most that an Example of
        that many raw tokens takes; it names the settings that it depends on.
      answers: whether a slot may see the token that it predicts (`Objective`).
      acts: whether every setting can act on a window (`Objective`).
    """

    def register(function: Callable[..., Example]) -> Callable[..., Example]:
        name = function.__name__
        before = _OBJECTIVES.get(name)
        if before and before.function.__module__ != function.__module__:
            raise UsageError(
                f"two objectives are called {name!r}, in {before.function.__module__} "
                f"and {function.__module__}; rename one."
            )
        taken = {o.id: o.name for o in _OBJECTIVES.values() if o.name != name}
        if not 0 <= id < CAPACITY or id in taken:
            free = [n for n in range(CAPACITY) if n not in taken]
            raise UsageError(
                f"objective {name!r} asks for the id {id}, which is "
                + (f"taken by {taken[id]!r}" if id in taken else "out of range")
                + f"; free ids: {free}."
            )
        settings = {
            parameter.name: parameter.default
            for parameter in inspect.signature(function).parameters.values()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY
        }
        _OBJECTIVES[name] = Objective(
            name, id, function, measure, settings, answers, acts
        )
        return function

    return register


@functools.cache
def _discover() -> None:
    modules_of(__package__ or "objectives")


def objectives() -> dict[str, Objective]:
    """Every objective, by name, ordered by id."""
    _discover()
    return dict(sorted(_OBJECTIVES.items(), key=lambda item: item[1].id))


def get(name: str) -> Objective:
    """The objective of that name, with its default settings.

    Args:
      name: `span_corruption`, or that of a variant, `x64/span_corruption`.

    Raises:
      ValueError: there is none; the message names the nearest.
    """
    known = objectives()
    base = base_name(name)
    if base not in known:
        raise UsageError(f"no objective {base!r}; {nearest(base, known)}")
    return replace(known[base], name=name)


def base_name(name: str) -> str:
    """`span_corruption` of `x64/span_corruption`."""
    return name.rpartition("/")[2]


def variant_share(
    name: str, shares: Mapping[str, float], rates: Mapping[str, float]
) -> float:
    """The part of its objective's share that a variant, or the objective, has.

    Args:
      name: of either, in `rates`.
      shares: by objective; one without any has 0.
      rates: by objective and variant, in proportion to which shares are divided.
    """
    base = base_name(name)
    total = sum(rate for other, rate in rates.items() if base_name(other) == base)
    return shares.get(base, 0.0) * rates[name] / total
