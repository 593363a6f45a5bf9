"""Corrupted excerpts and what a model makes of them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ....objectives.example import Example
from ..asking.forms import Mode
from ..asking.subject import Subject, Tokens
from ..asking.writing import write
from .corruptions import KINDS, Corrupted, Kind, can_corrupt, corrupt, excerpt_tokens
from .filling import Filler, fill_masks
from .restoring import MODES_FOR, NEVER_TRAINED, ask, assemble, unrestored

NOTHING = "do nothing"
"""The baseline that hands the corrupted excerpt back."""


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
    mode: Mode | None = None,
    seed: int = 0,
) -> list[Restored]:
    """Corrupts excerpts, depending on the seed alone, and restores them greedily.

    Args:
      subject: the model.
      excerpts: documents and excerpts, as `excerpts` gives them; cut to what rows
        hold of them when so corrupted.
      kind: of corruption.
      rate: share of tokens, or of sentences, to corrupt.
      filler: to fill masks as a baseline.
      mode: to ask in; None for `restoring_mode`.
      seed: of the corruptions.
    """
    ids = subject.vocab.special_ids
    kind_and_rate = (KINDS.index(kind), round(1000 * rate))
    corruptions: list[tuple[int, Corrupted]] = []
    size = excerpt_tokens(subject, kind=kind, rate=rate)
    for document, beginning in excerpts:
        tokens = beginning[:size]
        if can_corrupt(tokens, ids, kind=kind):
            rng = np.random.default_rng([seed, document, *kind_and_rate])
            corrupted = corrupt(tokens, rng, ids, kind=kind, rate=rate)
            corruptions.append((document, corrupted))
    mode = mode or restoring_mode(subject, kind)
    return restored_in(subject, corruptions, mode, filler)


def restored_in(
    subject: Subject,
    corruptions: Sequence[tuple[int, Corrupted]],
    mode: Mode,
    filler: Filler | None = None,
) -> list[Restored]:
    """Restores the corrupted excerpts of documents in a mode."""
    ids = subject.vocab.special_ids
    documents = [document for document, _ in corruptions]
    requests = [ask(corrupted, ids, mode=mode) for _, corrupted in corruptions]
    requests = [
        request._replace(example=subject.with_mode_token(request.example, mode))
        for request in requests
    ]
    answers = _answers(subject, [request.example for request in requests], mode)
    restored: list[Restored] = []
    for document, request, answer in zip(documents, requests, answers, strict=True):
        shallow = {NOTHING: unrestored(request.corrupted, ids)}
        if filler is not None and request.corrupted.kind == "masking":
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
