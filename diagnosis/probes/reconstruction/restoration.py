"""Restoration: corrupted excerpts are restored and compared with the original."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ...scores.score import Mean, Score, Statistic
from ..asking.forms import Mode
from ..asking.scored import score_of
from ..asking.subject import Subject, Tokens, fitted
from ..choices.preferences import likelihoods
from .corruptions import KINDS, RATES, Corrupted, Kind
from .fidelity import Fidelity, fact_counts, fact_f1, fluent_but_unfaithful, measure
from .filling import Filler
from .restored import NOTHING, Restored, restore, restored_in, restoring_mode
from .restoring import MODES_FOR, NEVER_TRAINED


class Judged(NamedTuple):
    """An output of the model or of a baseline, scored.

    Attributes:
      document: of the excerpt.
      fidelity: its token-level measures.
      facts: facts in common, in the output and in the original (`fact_counts`).
      fluent: 1 if fluent but unfaithful, else 0; NaN for baselines.
    """

    document: int
    fidelity: Fidelity
    facts: Int[np.ndarray, "3"]
    fluent: float = float("nan")


Outputs = Mapping[str, Sequence[Judged]]
"""Outputs of the model under "", and of each baseline under its name."""

Measure = Callable[[Sequence[Judged]], Statistic]


def _mean(field: str) -> Measure:
    return lambda outputs: Mean(np.array([getattr(o.fidelity, field) for o in outputs]))


def _f1(outputs: Sequence[Judged]) -> Statistic:
    return fact_f1(np.array([o.facts for o in outputs], np.int64).reshape(-1, 3))


FLUENT = "fluent but unfaithful"

GAIN = "gain over doing nothing"
"""By how much an edit distance is below that of the same excerpt handed back."""

UNDAMAGED = "undamaged"
"""The kind of excerpts that only have to be copied."""

METRICS: Mapping[str, tuple[Literal["higher", "lower"], Measure]] = {
    "exact match": ("higher", _mean("exact")),
    "edit distance": ("lower", _mean("distance")),
    "copy recall": ("higher", _mean("copy_recall")),
    "copy precision": ("higher", _mean("copy_precision")),
    "unsupported tokens": ("lower", _mean("unsupported")),
    "number and entity F1": ("higher", _f1),
    FLUENT: ("lower", lambda outputs: Mean(np.array([o.fluent for o in outputs]))),
}
"""The better direction of each metric, and its statistic over outputs."""


def restoration_scores(
    subject: Subject,
    excerpts: Sequence[tuple[int, Tokens]],
    *,
    kinds: Sequence[Kind] = KINDS,
    rates: Sequence[float] = RATES,
    filler: Filler | None = None,
    seed: int = 0,
) -> list[Score]:
    """Every measure of fidelity for each kind and rate of corruption.

    "all" takes the kinds together. Baselines on the same excerpts: "do nothing", the
    corrupted excerpt without masks, and "5-gram", which fills masks. The gain over
    doing nothing is a difference for each excerpt, and so is its interval: where that
    is above 0, the model restores, and where it is not, the excerpt had better been
    left alone (`strengths.beats_from`).

    Masks can be filled in several modes; every trained one is asked, on the same
    excerpts, and those after the first have the mode in the names of their metrics.
    "undamaged" excerpts are to be written as they are, by a model that writes the whole
    text: what it gets wrong there it has lost by copying.
    """
    modes = {kind: [restoring_mode(subject, kind)] for kind in kinds}
    all_modes = list(dict.fromkeys(mode for (mode,) in modes.values()))
    # If any mode is untrained, "all" reports the untrained ones.
    untrained = [mode for mode in all_modes if not subject.trains(mode)]
    scores: list[Score] = []
    for rate in rates:
        parts = {
            kind: _judged(
                subject,
                restore(
                    subject, excerpts, kind=kind, rate=rate, filler=filler, seed=seed
                ),
            )
            for kind in kinds
        }
        outputs_by_kind = {"all": _together(list(parts.values())), **parts}
        for kind, outputs in outputs_by_kind.items():
            scores += _scores(
                subject,
                outputs,
                kind=f"{kind}, {100 * rate:.0f} %",
                modes=modes.get(kind, untrained or all_modes),
                seed=seed,
            )
        if "masking" in kinds:
            scores += _in_other_modes(subject, excerpts, rate=rate, seed=seed)
    return scores + _copied(subject, excerpts, seed=seed)


def _in_other_modes(
    subject: Subject,
    excerpts: Sequence[tuple[int, Tokens]],
    *,
    rate: float,
    seed: int,
) -> list[Score]:
    """How well masks are filled in each trained mode but the one measured anyway."""
    first = restoring_mode(subject, "masking")
    others: list[Mode] = [
        mode
        for mode in MODES_FOR["masking"]
        if subject.trains(mode) and mode not in (first, *NEVER_TRAINED)
    ]
    scores: list[Score] = []
    for mode in others:
        restored = restore(
            subject, excerpts, kind="masking", rate=rate, mode=mode, seed=seed
        )
        made = _scores(
            subject,
            _judged(subject, restored),
            kind=f"masking, {100 * rate:.0f} %",
            modes=[mode],
            seed=seed,
        )
        scores += [
            score._replace(metric=f"{score.metric}, as {mode}")
            for score in made
            if score.metric in ("edit distance", GAIN)
        ]
    return scores


def _copied(
    subject: Subject, excerpts: Sequence[tuple[int, Tokens]], *, seed: int
) -> list[Score]:
    """How well a text is copied in which nothing is missing."""
    if not subject.trains(mode := restoring_mode(subject, "deletion")):
        return []
    whole = [
        (document, Corrupted("deletion", tokens, tokens, np.arange(len(tokens)), _NONE))
        for document, tokens in excerpts
    ]
    judged = [
        _judge(subject, item, item.output) for item in restored_in(subject, whole, mode)
    ]
    return [
        score_of(
            subject,
            METRICS[metric][1](judged),
            np.array([item.document for item in judged], np.int64),
            probe="restoration",
            kind=UNDAMAGED,
            metric=metric,
            modes=[mode],
            better=METRICS[metric][0],
            seed=seed,
        )
        for metric in ("exact match", "edit distance", "copy recall")
    ]


_NONE = np.zeros(0, np.int64)


def _scores(
    subject: Subject, outputs: Outputs, *, kind: str, modes: Sequence[str], seed: int
) -> list[Score]:
    model_outputs = outputs[""]
    shallow = {name: judged for name, judged in outputs.items() if name and judged}
    score = functools.partial(
        score_of,
        subject,
        documents=np.array([output.document for output in model_outputs], np.int64),
        probe="restoration",
        kind=kind,
        modes=modes,
        seed=seed,
    )
    gains = [
        before.fidelity.distance - after.fidelity.distance
        for before, after in zip(outputs[NOTHING], model_outputs, strict=True)
    ]
    return [
        *(
            score(
                of(model_outputs),
                metric=metric,
                better=better,
                baselines={
                    name: float(of(judged)(np.arange(len(judged))))
                    for name, judged in shallow.items()
                    if metric != FLUENT
                },
            )
            for metric, (better, of) in METRICS.items()
        ),
        score(
            Mean(np.array(gains, float)),
            metric=GAIN,
            baselines={NOTHING: 0.0} if gains else {},
        ),
    ]


def _judged(subject: Subject, restored: Sequence[Restored]) -> Outputs:
    """The scored outputs of the model and of baselines, for one kind."""
    judged = [_judge(subject, item, item.output) for item in restored]
    fluent = fluent_but_unfaithful(
        _nll(subject, [item.output for item in restored]),
        _nll(subject, [item.corrupted.original for item in restored]),
        np.array([item.fidelity.distance for item in judged]),
    ).astype(float)
    judged = [item._replace(fluent=x) for item, x in zip(judged, fluent, strict=True)]
    return {"": judged} | {
        name: [_judge(subject, item, item.baselines[name]) for item in restored]
        for name in (restored[0].baselines if restored else [NOTHING])
    }


def _judge(subject: Subject, restored: Restored, output: Tokens) -> Judged:
    original, decode = restored.corrupted.original, subject.vocab.decode
    return Judged(
        restored.document,
        measure(output, original, untouched=restored.corrupted.kept),
        fact_counts(decode(output), decode(original)),
    )


def _together(parts: Sequence[Outputs]) -> Outputs:
    """The outputs of all parts; of baselines, those that every part has."""
    names = [name for name in parts[0] if all(name in part for part in parts)]
    return {name: [output for part in parts for output in part[name]] for name in names}


def _nll(subject: Subject, texts: Sequence[Tokens]) -> Float[np.ndarray, " N"]:
    """Mean -log p a token of each text without context; NaN if empty or too long."""
    nll = np.full(len(texts), np.nan)
    kept = [
        n
        for n, text in enumerate(texts)
        if len(text) and fitted(subject, text[:0], text) is not None
    ]
    pairs = [(texts[n][:0], texts[n]) for n in kept]
    for n, likelihood in zip(kept, likelihoods(subject, pairs), strict=True):
        nll[n] = -likelihood / len(texts[n])
    return nll
