"""Restoration: corrupted excerpts are restored and compared with the original."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ....objectives.example import Example
from ...scores.score import Mean, Score, Statistic
from ..asking.forms import Mode
from ..asking.scored import score_of
from ..asking.subject import Subject, Tokens, fitted
from ..asking.writing import write
from ..choices.preferences import likelihoods
from .corruptions import KINDS, RATES, Corrupted, Kind, can_corrupt, corrupt
from .fidelity import Fidelity, fact_counts, fact_f1, fluent_but_unfaithful, measure
from .filling import Filler, fill_masks
from .restoring import MODES_FOR, NEVER_TRAINED, Request, ask, assemble, unrestored


class Restored(NamedTuple):
    """One excerpt and its restorations.

    Attributes:
      document: of the excerpt.
      corrupted: the model's input.
      output: of the model.
      baselines: outputs of baselines: "do nothing" (the input without masks) and, for
        masking, a "5-gram" model.
    """

    document: int
    corrupted: Corrupted
    output: Tokens
    baselines: Mapping[str, Tokens]


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
    facts = np.array([o.facts for o in outputs], np.int64).reshape(-1, 3)
    return lambda items: fact_f1(facts[items])


FLUENT = "fluent but unfaithful"

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
    corrupted excerpt without masks, and "5-gram", which fills masks.
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
    return scores


def _scores(
    subject: Subject, outputs: Outputs, *, kind: str, modes: Sequence[str], seed: int
) -> list[Score]:
    model_outputs = outputs[""]
    shallow = {name: judged for name, judged in outputs.items() if name and judged}
    return [
        score_of(
            subject,
            of(model_outputs),
            np.array([output.document for output in model_outputs], np.int64),
            probe="restoration",
            kind=kind,
            metric=metric,
            modes=modes,
            better=better,
            baselines={
                name: float(of(judged)(np.arange(len(judged))))
                for name, judged in shallow.items()
                if metric != FLUENT
            },
            seed=seed,
        )
        for metric, (better, of) in METRICS.items()
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
        for name in (restored[0].baselines if restored else ["do nothing"])
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


def restoring_mode(subject: Subject, kind: Kind) -> Mode:
    """The first trained mode that suits the corruption, else reconstruction."""
    modes = MODES_FOR[kind]
    fit: list[Mode] = [m for m in modes if subject.trains(m) and m not in NEVER_TRAINED]
    return fit[0] if fit else "reconstruction"


def restore(
    subject: Subject,
    excerpts: Sequence[tuple[int, Tokens]],
    *,
    kind: Kind,
    rate: float,
    filler: Filler | None = None,
    seed: int = 0,
) -> list[Restored]:
    """Corrupts excerpts, depending on the seed alone, and restores them greedily.

    Args:
      subject: the model.
      excerpts: documents and excerpts, as `excerpts` gives them.
      kind: of corruption.
      rate: share of tokens, or of sentences, to corrupt.
      filler: to fill masks as a baseline.
      seed: of the corruptions.
    """
    ids = subject.vocab.special_ids
    mode = restoring_mode(subject, kind)
    kind_and_rate = (KINDS.index(kind), round(1000 * rate))
    documents: list[int] = []
    requests: list[Request] = []
    for document, tokens in excerpts:
        if can_corrupt(tokens, ids, kind=kind):
            rng = np.random.default_rng([seed, document, *kind_and_rate])
            corrupted = corrupt(tokens, rng, ids, kind=kind, rate=rate)
            request = ask(corrupted, ids, mode=mode)
            requests.append(
                request._replace(example=subject.with_mode_token(request.example, mode))
            )
            documents.append(document)
    answers = _answers(subject, [request.example for request in requests], mode)
    restored: list[Restored] = []
    for document, request, answer in zip(documents, requests, answers, strict=True):
        shallow = {"do nothing": unrestored(request.corrupted, ids)}
        if filler is not None and kind == "masking":
            shallow["5-gram"] = fill_masks(request.corrupted, ids, filler)
        output = assemble(request, answer, ids)
        restored.append(Restored(document, request.corrupted, output, shallow))
    return restored


def _answers(subject: Subject, examples: Sequence[Example], mode: Mode) -> list[Tokens]:
    """The model's most probable answers, in one pass or token by token."""
    if mode in ("masked", "shifted"):
        return [answer.astype(np.int32) for answer in subject.guess(examples)]
    # EOS is not allowed if the number of tokens is known; only "span" uses sentinels.
    extra_ids = subject.vocab.special_ids.sentinels if mode == "span" else ()
    return write(subject, examples, extra_ids=extra_ids, ends=mode != "permuted")


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
