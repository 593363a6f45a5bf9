"""What a run trains on: rates of tasks, shares of the loss, settings of objectives."""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float32

from ..objectives import registry
from ..objectives.errors import nearest
from ..objectives.registry import CAPACITY, Objective
from . import corpora
from .vocabulary import vocabulary as find_vocabulary

_TOLERANCE = 1e-6


@dataclasses.dataclass(frozen=True)
class Mixture:
    """A mixture of tasks, checked when it is made.

    Attributes:
      name: its name.
      rates: relative number of examples of each task (`python_docs.causal`). A task
        with rate 0 is left out.
      loss_shares: share of the loss of each objective, summing to 1. None: the
        objectives' shares of the rates.
      settings: settings of objectives, by objective and setting.
      vocabulary: of every task: a name or a path (`vocabulary.vocabulary`).

    Raises:
      ValueError: an unknown task, objective, setting or vocabulary; a rate or share
        that is negative or not finite; all rates 0; shares that miss an objective,
        name one that is not mixed, or do not sum to 1.
    """

    name: str
    rates: Mapping[str, float | int]
    _: dataclasses.KW_ONLY
    loss_shares: Mapping[str, float | int] | None = None
    settings: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    vocabulary: str = "python_docs"

    def __post_init__(self):
        for task in self.rates:
            _require(f"mixture {self.name!r}", "task", task, task_names())
        _require_amounts(f"mixture {self.name!r}: the rate of", self.rates)
        if not self.positive_rates():
            raise ValueError(
                f"mixture {self.name!r} has no task with a positive rate; it has "
                f"{dict(self.rates)}."
            )
        for objective, settings in self.settings.items():
            registry.get(objective).with_settings(**settings)
        find_vocabulary(self.vocabulary)
        if self.loss_shares is not None:
            self._check_loss_shares(self.loss_shares)

    def positive_rates(self) -> dict[str, float]:
        """The rates of the tasks that take part."""
        return {task: float(rate) for task, rate in self.rates.items() if rate > 0}

    def objective(self, name: str) -> Objective:
        """An objective with this mixture's settings."""
        return registry.get(name).with_settings(**self.settings.get(name, {}))

    def objectives(self) -> dict[str, Objective]:
        """The objectives that take part, with their settings, ordered by id."""
        mixed = {split_task(task)[1] for task in self.positive_rates()}
        return {
            name: self.objective(name)
            for name in registry.objectives()
            if name in mixed
        }

    def loss_share_array(self) -> Float32[np.ndarray, " O"]:
        """Each objective's share of the loss, at the objective's id; sums to 1."""
        shares = np.zeros(CAPACITY, np.float64)
        if self.loss_shares is None:
            for task, rate in self.positive_rates().items():
                shares[registry.get(split_task(task)[1]).id] += rate
        else:
            for name, share in self.loss_shares.items():
                shares[registry.get(name).id] = share
        return (shares / shares.sum()).astype(np.float32)

    def _check_loss_shares(self, shares: Mapping[str, float | int]) -> None:
        where = f"loss_shares of mixture {self.name!r}"
        mixed = self.objectives()
        for name in shares:
            _require(where, "objective", name, registry.objectives())
            if name not in mixed:
                raise ValueError(
                    f"{where} name {name!r}, which has no task with a positive rate; "
                    f"take it out or give one. Mixed: {', '.join(mixed)}."
                )
        _require_amounts(f"{where}: the share of", shares)
        missing = [name for name in mixed if name not in shares]
        if missing:
            raise ValueError(
                f"{where} leave out {', '.join(missing)}; every objective with a "
                "positive rate needs a share."
            )
        total = sum(shares.values())
        if abs(total - 1) > _TOLERANCE:
            scale = total or 1.0
            fixed = {name: round(share / scale, 6) for name, share in shares.items()}
            raise ValueError(
                f"{where} sum to {total:.6g}, not 1"
                + (f"; did you mean {fixed}?" if total else ".")
            )


def task_names() -> tuple[str, ...]:
    """Every task: corpus and objective, as in `python_docs.causal`."""
    return tuple(f"{c}.{o}" for c in corpora.names() for o in registry.objectives())


def split_task(task: str) -> tuple[str, str]:
    """The corpus and the objective of a task's name."""
    corpus, _, objective = task.rpartition(".")
    return corpus, objective


def _require(where: str, kind: str, name: str, valid: Iterable[str]) -> None:
    valid = tuple(valid)
    if name not in valid:
        raise ValueError(f"{where}: no {kind} {name!r}; {nearest(name, valid)}")


def _require_amounts(where: str, amounts: Mapping[str, float | int]) -> None:
    for name, amount in amounts.items():
        number = isinstance(amount, int | float) and not isinstance(amount, bool)
        if not number or not math.isfinite(amount) or amount < 0:
            raise ValueError(
                f"{where} {name!r} is {amount!r}; give a finite number ≥ 0."
            )
