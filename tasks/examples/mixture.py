"""What a run trains on: rates of tasks, shares of the loss, settings of objectives."""

import dataclasses
import functools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64

from ...objectives import registry
from ...objectives.errors import UsageError, nearest
from ...objectives.registry import CAPACITY, Objective, base_name
from .. import corpora
from ..corpora import Corpus
from ..tokens.vocabulary import vocabulary as find_vocabulary
from .mixture_fields import check_mappings, check_settings
from .mixture_schedule import SCHEDULED, check_schedule, mean_rates, values_by_step

_TOLERANCE = 1e-6

_ALIKE = ", or bind Mixture.loss_shares = None to share the loss as the examples are"


@dataclasses.dataclass(frozen=True)
class Mixture:
    """A mixture of tasks, checked when it is made.

    A task is a corpus and an objective: `python_docs.causal`. `x64/span_corruption` is
    a variant of an objective, with settings of its own, scoped as in gin
    (`x64/span_corruption.mean_span = 64`); variants share their objective's loss.

    Attributes:
      name: its name.
      rates: relative number of examples of each task. An objective named without a
        corpus (`causal`) stands for one task of each of `corpora`. A task with rate 0
        is left out.
      corpora: relative rates of the corpora, for objectives named without one.
      loss_shares: share of the loss of each objective, summing to 1. None: the
        objectives' shares of the rates.
      settings: settings by objective, variant (all of its settings) or corpus.
      vocabulary: of every task: a name or a path (`vocabulary.vocabulary`).
      schedule: changes of `rates`, `loss_shares` and `settings` over a run, by the
        first step that they hold for: `{1000: {'settings': {'masked': {'rate': .1}}}}`.
        Rates given there replace all rates; what is not given stays as it was. Each
        objective or variant whose settings change is from then on one more variant
        (`from_1000/masked`), which begins a pass of its own over its corpora; rates go
        on calling it by its own name. `at` and `phases` give the mixtures in force.
        A task is mixed if any of them gives it a positive rate; the arrays of shares
        are those of step 0.

    Raises:
      ValueError: an unknown task, objective, corpus, setting or vocabulary; a rate or
        share that is negative or not finite; all rates 0; shares that miss an
        objective, name one that is not mixed, or do not sum to 1; a schedule whose
        steps do not ascend from 1, or whose changes make no valid mixture.
    """

    name: str
    rates: Mapping[str, float | int]
    _: dataclasses.KW_ONLY
    corpora: Mapping[str, float | int] = dataclasses.field(default_factory=dict)
    loss_shares: Mapping[str, float | int] | None = None
    settings: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    vocabulary: str = "python_docs"
    schedule: Mapping[int, Mapping[str, Mapping[str, Any] | None]] = dataclasses.field(
        default_factory=dict
    )

    def __post_init__(self):
        check_mappings(f"mixture {self.name!r}", vars(self))
        if self.schedule:
            check_schedule(f"Mixture.schedule of {self.name!r}", self.schedule)
            self.phases()  # each is checked as it is made
            return
        where = f"mixture {self.name!r}"
        for key in self.rates:
            self._check_key(key)
        for corpus in self.corpora:
            corpora.require(where, corpus, self.settings)
        if self.corpora and self.rates and all("." in key for key in self.rates):
            raise UsageError(
                f"{where} has corpora {dict(self.corpora)}, but every rate names its "
                "own corpus, so nothing would read them; take Mixture.corpora out."
            )
        _require_amounts(f"{where}: the rate of", self.rates)
        _require_amounts(f"{where}: the rate of corpus", self.corpora)
        if not self.positive_rates():
            raise UsageError(
                f"{where} has no task with a positive rate: Mixture.rates is "
                f"{dict(self.rates)}; give one, such as {{'python_docs.causal': 1.0}}."
            )
        check_settings(self.settings)
        find_vocabulary(self.vocabulary)
        if self.loss_shares is not None:
            self._check_loss_shares(self.loss_shares)

    def phases(self) -> dict[int, "Mixture"]:
        """The mixtures of the schedule by the first step of each, from step 0 on."""
        return dict(self._phases)

    def at(self, step: int) -> "Mixture":
        """The mixture in force at a step, which has no schedule."""
        return self._phases[max(first for first in self._phases if first <= step)]

    @functools.cached_property
    def _phases(self) -> dict[int, "Mixture"]:
        if not self.schedule:
            return {0: self}
        start = {name: getattr(self, name) for name in (*SCHEDULED, "corpora")}
        each = values_by_step(start, self.schedule, settings_of=self._first_settings)
        phases = {}
        for step, values in each.items():
            try:
                phases[step] = dataclasses.replace(self, schedule={}, **values)
            except UsageError as error:
                where = f"from step {step} on, " if step else ""
                raise UsageError(f"{where}{error}") from error
        return phases

    def positive_rates(self) -> dict[str, float]:
        """The positive rates by task, with corpora written out.

        With a schedule, their means over its phases, as if all were as long, on the
        scale of step 0's.
        """
        if self.schedule:
            return mean_rates([p.positive_rates() for p in self._phases.values()])
        shares = {c: rate / sum(self.corpora.values()) for c, rate in self._corpora()}
        rates: dict[str, float] = {}
        for key, rate in self.rates.items():
            tasks = (
                {key: 1.0} if "." in key else {f"{c}.{key}": shares[c] for c in shares}
            )
            for task, share in tasks.items():
                if rate > 0:
                    rates[task] = rates.get(task, 0.0) + rate * share
        return rates

    def task_shares(self) -> dict[str, float]:
        """Each task's share of the examples; they sum to 1."""
        rates = self.positive_rates()
        total = sum(rates.values())
        return {task: rate / total for task, rate in rates.items()}

    def objective_rates(self) -> dict[str, float]:
        """The rates of objectives and variants, over all corpora; they sum to 1."""
        rates: dict[str, float] = {}
        for task, share in self.task_shares().items():
            name = split_task(task)[1]
            rates[name] = rates.get(name, 0.0) + share
        return rates

    def corpus_names(self) -> list[str]:
        """The names of the corpora that its tasks read."""
        return sorted({split_task(task)[0] for task in self.positive_rates()})

    def corpus(self, name: str) -> Corpus:
        """A corpus with this mixture's settings."""
        return corpora.get(name, **self.settings.get(name, {}))

    def objective(self, name: str) -> Objective:
        """An objective or a variant with this mixture's settings."""
        return registry.get(name).with_settings(**self.settings_of(name))

    def settings_of(self, name: str) -> Mapping[str, Any]:
        """What is bound of an objective or a variant, those of a schedule included."""
        settings = self.all_settings()
        return settings.get(name, settings.get(base_name(name), {}))

    def all_settings(self) -> dict[str, Mapping[str, Any]]:
        """`settings`, and those of the variants that a schedule makes."""
        phases = self._phases.values() if self.schedule else [self]
        return {k: v for phase in phases for k, v in phase.settings.items()}

    def objectives(self) -> dict[str, Objective]:
        """The mixed objectives and variants, ordered by id, then name."""
        names = {split_task(task)[1] for task in self.positive_rates()}
        objectives = [self.objective(name) for name in names]
        return {o.name: o for o in sorted(objectives, key=lambda o: (o.id, o.name))}

    def identities(self) -> dict[str, str]:
        """Identities of the vocabulary and corpora behind their names, at present."""
        used = self.corpus_names()
        documents = {f"corpus {c}": self.corpus(c).identity() for c in used}
        vocab = find_vocabulary(self.vocabulary)
        return {"vocabulary sha256": vocab.digest, **documents}

    def rate_array(self) -> Float64[np.ndarray, " O"]:
        """Each objective's share of the examples, at the objective's id; sums to 1.

        With a schedule, that of step 0.
        """
        if self.schedule:
            return self.at(0).rate_array()
        shares = np.zeros(CAPACITY)
        for task, rate in self.positive_rates().items():
            shares[registry.get(split_task(task)[1]).id] += rate
        return shares / shares.sum()

    def loss_share_array(self) -> Float32[np.ndarray, " O"]:
        """Each objective's share of the loss, at the objective's id; sums to 1.

        With a schedule, that of step 0.
        """
        if self.schedule:
            return self.at(0).loss_share_array()
        if self.loss_shares is None:
            return self.rate_array().astype(np.float32)
        shares = np.zeros(CAPACITY)
        for name, share in self.loss_shares.items():
            shares[registry.get(name).id] = share
        return (shares / shares.sum()).astype(np.float32)

    def _first_settings(self, name: str) -> Mapping[str, Any]:
        """What is bound of an objective or a variant from step 0 on."""
        return self.settings.get(name, self.settings.get(base_name(name), {}))

    def _corpora(self) -> list[tuple[str, float]]:
        return [(name, float(rate)) for name, rate in self.corpora.items() if rate > 0]

    def _check_key(self, key: str) -> None:
        """Refuses a rate whose key is neither a task nor an objective."""
        where = f"mixture {self.name!r}"
        corpus, variant = split_task(key)
        base = base_name(variant)
        if corpus:
            task = f"{corpora.base_name(corpus)}.{base}"
            _require(where, "task", task, task_names())
            corpora.require(where, corpus, self.settings)
        else:
            _require(where, "task or objective", base, registry.objectives())
            if not self._corpora():
                raise UsageError(
                    f"{where}: the rate of {key!r} names no corpus; write "
                    f"'python_docs.{key}', or give Mixture.corpora, the rates of the "
                    f"corpora to read: {', '.join(corpora.names())}."
                )
        if variant != base and variant not in self.settings:
            variants = [name for name in self.settings if "/" in name]
            raise UsageError(
                f"{where}: variant {variant!r} has no settings; bind one, as in "
                f"`{variant}.mode = ...`; {nearest(variant, variants)}"
            )

    def _check_loss_shares(self, shares: Mapping[str, float | int]) -> None:
        where = f"loss_shares of mixture {self.name!r}"
        mixed = list(dict.fromkeys(o.base for o in self.objectives().values()))
        for name in shares:
            _require(where, "objective", name, registry.objectives())
            if name not in mixed:
                raise UsageError(
                    f"{where} name {name!r}, which has no task with a positive rate; "
                    f"take it out or give one{_ALIKE}. Mixed: {', '.join(mixed)}."
                )
        _require_amounts(f"{where}: the share of", shares)
        missing = [name for name in mixed if name not in shares]
        if missing:
            raise UsageError(
                f"{where} leave out {', '.join(missing)}; every objective with a "
                f"positive rate needs a share{_ALIKE}."
            )
        total = sum(shares.values())
        if abs(total - 1) > _TOLERANCE:
            scale = total or 1.0
            fixed = {name: round(share / scale, 6) for name, share in shares.items()}
            raise UsageError(
                f"{where} sum to {total:.6g}, not 1"
                + (f"; did you mean {fixed}?" if total else ".")
            )


def task_names() -> tuple[str, ...]:
    """Every task: corpus and objective, as in `python_docs.causal`."""
    return tuple(f"{c}.{o}" for c in corpora.names() for o in registry.objectives())


def split_task(task: str) -> tuple[str, str]:
    """The corpus and the objective, or variant of it, of a task's name."""
    corpus, _, objective = task.rpartition(".")
    return corpus, objective


def _require(where: str, kind: str, name: str, valid: Iterable[str]) -> None:
    valid = tuple(valid)
    if name not in valid:
        raise UsageError(f"{where}: no {kind} {name!r}; {nearest(name, valid)}")


def _require_amounts(where: str, amounts: Mapping[str, float | int]) -> None:
    for name, amount in amounts.items():
        number = isinstance(amount, int | float) and not isinstance(amount, bool)
        # Sums and products stay finite, and above 0.
        if not number or not (amount == 0 or 1e-100 <= amount <= 1e100):
            raise UsageError(
                f"{where} {name!r} is {amount!r}; give a finite number: 0, or from "
                "1e-100 to 1e100."
            )
