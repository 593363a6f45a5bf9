"""Unfaithful reconstruction: restored excerpts, judged for what they kept."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ...scores.score import Mean, Score, Statistic, bootstrap
from ..asking.forms import Mode
from ..asking.subject import Subject, Tokens, fitted
from ..choices.preferences import likelihoods
from .corruptions import KINDS, RATES, Kind
from .fidelity import Fidelity, fact_counts, fact_f1, fluent_but_unfaithful, measure
from .filling import Filler
from .restored import Restored, restore, restoring_mode


def restoration_scores(
    subject: Subject,
    taken: Sequence[tuple[int, Tokens]],
    *,
    kinds: Sequence[Kind] = KINDS,
    rates: Sequence[float] = RATES,
    filler: Filler | None = None,
    seed: int = 0,
) -> list[Score]:
    """Every measure of fidelity for each kind and rate of corruption.

    Those of "all" are of the kinds together. Baselines on the same excerpts: "do
    nothing", the corrupted excerpt without its masks, and "5-gram", which fills masks
    from their neighbours.
    """
    scores: list[Score] = []
    for rate in rates:
        parts = {
            kind: _judge(
                subject,
                restore(subject, taken, kind=kind, rate=rate, filler=filler, seed=seed),
                restoring_mode(subject, kind),
            )
            for kind in kinds
        }
        for kind, judged in {"all": _together(list(parts.values())), **parts}.items():
            scores += _scores(judged, f"{kind}, {100 * rate:.0f} %", seed=seed)
    return scores


class _Judged(NamedTuple):
    """Outputs, judged.

    Attributes:
      documents: of which each is.
      modes: in which they were asked for.
      trained: whether all of these were.
      measured: fidelity and counts of facts of each, of the model's ("") and of
        baselines.
      fluent: 1 for each that is fluent but unfaithful.
    """

    documents: Int[np.ndarray, " N"]
    modes: tuple[str, ...]
    trained: bool
    measured: Mapping[str, tuple[list[Fidelity], Int[np.ndarray, "N 3"]]]
    fluent: Float[np.ndarray, " N"]


class _Metric(NamedTuple):
    """A measure of many outputs, and which way it is better."""

    name: str
    better: Literal["higher", "lower"]
    of: Callable[[Sequence[Fidelity], Int[np.ndarray, "N 3"]], Statistic]


def _average(field: str) -> Callable[..., Statistic]:
    return lambda measured, facts: Mean(
        np.array([getattr(one, field) for one in measured])
    )


METRICS = (
    _Metric("exact match", "higher", _average("exact")),
    _Metric("edit distance", "lower", _average("distance")),
    _Metric("copy recall", "higher", _average("copy_recall")),
    _Metric("copy precision", "higher", _average("copy_precision")),
    _Metric("unsupported tokens", "lower", _average("unsupported")),
    _Metric(
        "number and entity F1",
        "higher",
        lambda measured, facts: lambda items: fact_f1(facts[items]),
    ),
)


def _scores(judged: _Judged, kind: str, *, seed: int) -> list[Score]:
    documents = judged.documents

    def score(name: str, better: Literal["higher", "lower"], statistics) -> Score:
        value, low, high = bootstrap(statistics[""], documents, seed=seed)
        every = np.arange(len(documents))
        return Score(
            failure="reconstruction",
            probe="restoration",
            kind=kind,
            metric=name,
            value=value,
            low=low,
            high=high,
            chance=None,
            better=better,
            mode=" or ".join(judged.modes),
            trained=judged.trained,
            baselines={
                other: float(statistic(every))
                for other, statistic in statistics.items()
                if other and len(every)
            },
            items=len(documents),
            documents=len(set(documents.tolist())),
        )

    return [
        *(
            score(m.name, m.better, {n: m.of(*x) for n, x in judged.measured.items()})
            for m in METRICS
        ),
        score("fluent but unfaithful", "lower", {"": Mean(judged.fluent)}),
    ]


def _judge(subject: Subject, found: Sequence[Restored], mode: Mode) -> _Judged:
    outputs = {"": [one.output for one in found]}
    outputs["do nothing"] = [one.plain for one in found]
    if found and found[0].filled is not None:
        outputs["5-gram"] = [one.filled for one in found if one.filled is not None]
    measured = {name: _measured(subject, found, said) for name, said in outputs.items()}
    return _Judged(
        np.array([one.document for one in found], np.int64),
        (mode,),
        subject.knows(mode),
        measured,
        _fluent(subject, found, [m.distance for m in measured[""][0]]),
    )


def _together(parts: Sequence[_Judged]) -> _Judged:
    """All of them as one; of the baselines those that each of them has.

    If some were asked for in modes that were not trained, these are the modes told.
    """
    untrained = [mode for p in parts for mode in p.modes if not p.trained]
    names = [n for n in parts[0].measured if all(n in p.measured for p in parts)]
    return _Judged(
        np.concatenate([p.documents for p in parts]),
        tuple(dict.fromkeys(untrained or [m for p in parts for m in p.modes])),
        not untrained,
        {
            name: (
                [one for p in parts for one in p.measured[name][0]],
                np.concatenate([p.measured[name][1] for p in parts]),
            )
            for name in names
        },
        np.concatenate([p.fluent for p in parts]),
    )


def _measured(
    subject: Subject, found: Sequence[Restored], outputs: Sequence[Tokens]
) -> tuple[list[Fidelity], Int[np.ndarray, "N 3"]]:
    """Measures of tokens, and counts of facts, of each output."""
    say = subject.words.decode
    pairs = list(zip(found, outputs, strict=True))
    facts = [fact_counts(say(o), say(one.corrupted.original)) for one, o in pairs]
    return [
        measure(o, one.corrupted.original, untouched=one.corrupted.kept)
        for one, o in pairs
    ], np.array(facts, np.int64).reshape(-1, 3)


def _fluent(
    subject: Subject, found: Sequence[Restored], distance: Sequence[float]
) -> Float[np.ndarray, " N"]:
    """Which outputs read well and are wrong, by the model's own score of text."""
    output, original = (
        _nll(subject, texts)
        for texts in (
            [one.output for one in found],
            [one.corrupted.original for one in found],
        )
    )
    return fluent_but_unfaithful(output, original, np.array(distance)).astype(float)


def _nll(subject: Subject, texts: Sequence[Tokens]) -> Float[np.ndarray, " N"]:
    """Mean -log p a token of each text by itself, asked as the model goes on; NaN."""
    found = np.full(len(texts), np.nan)
    kept = [
        n
        for n, text in enumerate(texts)
        if len(text) and fitted(subject, text[:0], text) is not None
    ]
    asked = [(texts[n][:0], texts[n]) for n in kept]
    for n, likelihood in zip(kept, likelihoods(subject, asked), strict=True):
        found[n] = -likelihood / len(texts[n])
    return found
