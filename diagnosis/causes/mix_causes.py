"""The two causes that lie in a mixture's figures: shares of the loss, and the mix.

For each failure there is something that a mixture has to ask for (`cause.NEEDS`). Where
that has little of the loss, the cause is the share of the loss if the mixture does ask
for it, and the mix if it does not.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ..scores.complaints import Complaint
from ..scores.score import Failure, Score
from ..traits.forms import NEGATIVE_KINDS
from ..traits.traits import MEASURED, MixtureTraits
from .cause import (
    LITTLE_ORDER,
    NEEDS,
    ONE_SIDED,
    UNITS,
    Cause,
    Evidence,
    amount,
    carriers,
    listed,
    named,
    percent,
    shown,
)

_SEEN = {"past": "from the past", "both": "from both sides", "permuted": "permuted"}
"""What tokens are predicted from, by the trait that says how many."""


class _Supply(NamedTuple):
    """How much of what a failure needs a mixture asks for, and how the loss weighs it.

    Attributes:
      present: share of Examples or supervised tokens.
      loss: share of the loss.
      little: threshold of both.
    """

    present: float
    loss: float
    little: float

    @property
    def drowned(self) -> bool:
        return self.loss < self.little <= self.present

    @property
    def missing(self) -> bool:
        return max(self.loss, self.present) < self.little


def _supply(mixture: MixtureTraits, failure: Failure) -> _Supply:
    need = NEEDS[failure]
    overall = mixture.overall
    present = amount(overall[need.by], need)
    return _Supply(present, amount(overall["loss"], need), need.little)


def loss_share(mixture: MixtureTraits, wanted: Sequence[Failure]) -> Cause:
    """Whether what a failure needs is asked for, but has little of the loss."""
    evidence = [
        Evidence(f"loss of {name}", share, "share", mixture.loss_source)
        for name, share in mixture.loss.items()
    ]
    evidence += [
        Evidence(
            f"tokens that an Example of {n} asks", t.supervised, "tokens", MEASURED
        )
        for n, t in mixture.objectives.items()
    ]
    reasons: dict[Failure, str] = {}
    drowned: list[str] = []
    enough: list[str] = []
    for failure in wanted:
        supply, need = _supply(mixture, failure), NEEDS[failure]
        told = f"{named(failure)}: "
        if supply.drowned:
            reasons[failure] = (
                f"{percent(supply.present)} of the {UNITS[need.by]} {need.what}, but "
                f"only {percent(supply.loss)} of the loss is on them"
            )
            drowned.append(told + _drowned(mixture, failure, supply))
        elif supply.missing:
            told += f"little or nothing asks for {need.name}, so none is drowned."
            enough.append(told)
        else:
            told += f"{percent(supply.loss)} of the loss is on {need.name}, from "
            told += f"{listed(carriers(mixture, need))} (little is below "
            enough.append(f"{told}{percent(supply.little)}).")
    statement = f"Under the normalisation {mixture.normalisation!r} of the loss. "
    statement += " ".join(drowned + enough)
    return Cause(
        4,
        "share of the loss",
        "found" if reasons else "ruled out",
        tuple(reasons or wanted),
        statement,
        tuple(evidence),
        reasons,
    )


def _drowned(mixture: MixtureTraits, failure: Failure, supply: _Supply) -> str:
    """Which objectives have little of the loss, and which one takes it."""
    need = NEEDS[failure]
    names = carriers(mixture, need)
    others = [name for name in mixture.loss if name not in names]
    told = (
        f"{percent(supply.present)} of the {UNITS[need.by]} {need.what} "
        f"({listed(names)}), but only {percent(supply.loss)} of the loss is on that "
        f"(little is below {percent(supply.little)})"
    )
    if not others:
        return f"{told}."
    most = max(others, key=lambda name: mixture.loss[name])
    tokens = mixture.objectives[most].supervised
    return told + (
        f"; {most}, with {tokens:,.0f} supervised tokens an Example, takes "
        f"{percent(mixture.loss[most])}."
    )


def objective_mix(
    mixture: MixtureTraits,
    scores: Sequence[Score],
    complaints: Sequence[Complaint],
    wanted: Sequence[Failure],
) -> Cause:
    """Whether the mixture does not ask for what a failure needs.

    Drift: text from the strict past. Continuation: labels of pairs, and negatives from
    the same document, without which order goes untested. Reconstruction: whole texts.
    """
    reasons: dict[Failure, str] = {}
    parts: list[str] = []
    evidence: list[Evidence] = []
    for failure in wanted:
        supply, need = _supply(mixture, failure), NEEDS[failure]
        faults = [_missing(mixture, failure, supply)] if supply.missing else []
        if failure == "continuation":
            faults += _pair_faults(mixture)
        if supply.missing:
            little = f"only {percent(supply.loss)}" if supply.loss else "none"
            reasons[failure] = f"{little} of the loss is on {need.name}"
        elif faults:
            reasons[failure] = faults[0]
        if not faults:
            faults = [
                f"{percent(supply.present)} of the {UNITS[need.by]} {need.what}, with "
                f"{percent(supply.loss)} of the loss, from "
                f"{listed(carriers(mixture, need))}"
            ]
        parts += [f"{named(failure)}: {fault}." for fault in faults]
        evidence += _figures(mixture, failure, supply)
        evidence += shown(failure, scores, complaints)
    statement = f"In the mixture {mixture.name!r}. " + " ".join(parts)
    return Cause(
        5,
        "the objective mix itself",
        "found" if reasons else "ruled out",
        tuple(reasons or wanted),
        statement,
        tuple(evidence),
        reasons,
    )


def _missing(mixture: MixtureTraits, failure: Failure, supply: _Supply) -> str:
    """What is not asked for, and what is asked for instead."""
    need = NEEDS[failure]
    told = (
        f"{percent(supply.present)} of the {UNITS[need.by]} {need.what}, with "
        f"{percent(supply.loss)} of the loss (little is below "
        f"{percent(supply.little)}); instead "
    )
    kinds: dict[str, list[str]] = {}
    for name, traits in mixture.objectives.items():
        if failure == "drift":
            seen = {kind: getattr(traits, field) for field, kind in _SEEN.items()}
            kinds.setdefault(max(seen, key=lambda kind: seen[kind]), []).append(name)
        else:
            mode = max(traits.modes, key=lambda mode: traits.modes[mode])
            kinds.setdefault(f"in {mode} mode", []).append(name)
    asked = "tokens are predicted" if failure == "drift" else "it asks"
    return (
        told
        + f"{asked} "
        + listed(f"{kind} ({listed(names)})" for kind, names in kinds.items())
    )


def _pair_faults(mixture: MixtureTraits) -> list[str]:
    """What is wrong with the labels of pairs, where there are any."""
    pairs = mixture.overall["examples"]
    if not pairs.labels:
        return []
    names = listed(carriers(mixture, NEEDS["continuation"]))
    if not ONE_SIDED <= pairs.negatives <= 1 - ONE_SIDED:
        return [
            f"{percent(pairs.negatives)} of the labels of {names} say that a pair does "
            f"not continue, so one answer is nearly always right (below "
            f"{percent(ONE_SIDED)} of either)"
        ]
    ordering = pairs.kinds["further"] + pairs.kinds["swapped"]
    if ordering >= LITTLE_ORDER:
        return []
    return [
        f"of the negative pairs of {names} {percent(pairs.kinds['other'])} are with "
        f"another document and {percent(ordering)} of the same one, further on or "
        f"swapped (little is below {percent(LITTLE_ORDER)}): topic tells the label, "
        "order is not tested"
    ]


def _figures(
    mixture: MixtureTraits, failure: Failure, supply: _Supply
) -> list[Evidence]:
    """The shares that the verdict on a failure stands on."""
    need = NEEDS[failure]
    found = [
        Evidence(
            f"{UNITS[need.by]} that {need.what}", supply.present, "share", MEASURED
        ),
        Evidence(f"loss on {need.name}", supply.loss, "share", mixture.loss_source),
    ]
    pairs = mixture.overall["examples"]
    if failure == "continuation" and pairs.labels:
        found.append(Evidence("negative pairs", pairs.negatives, "share", MEASURED))
        found += [
            Evidence(f"negatives: {kind}", pairs.kinds[kind], "share", MEASURED)
            for kind in NEGATIVE_KINDS
        ]
    return found
