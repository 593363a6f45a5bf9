"""Corrupted excerpts, and what a model makes of them."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from ....models.generate import make_generate
from ....models.prompts import prompts
from ....models.samplers import greedy
from ..asking.forms import Mode
from ..asking.subject import Subject, Tokens
from .corruptions import KINDS, RATES, Corrupted, Kind, can_corrupt, corrupt
from .filling import Filler, fill_masks
from .restoring import MODES_FOR, NEVER_TRAINED, Request, ask, assemble, unrestored

ROWS = 32
"""Excerpts that are restored side by side."""

SPARE = 8
"""Slots of a row left for an answer that is longer than the excerpt."""


class Restored(NamedTuple):
    """One excerpt and what a model made of it.

    Attributes:
      document: it is from.
      corrupted: what the model was given.
      output: what it made of it.
      plain: the excerpt as it was given, masks left out.
      filled: what a 5-gram model made of it; None where it cannot.
    """

    document: int
    corrupted: Corrupted
    output: Tokens
    plain: Tokens
    filled: Tokens | None


def excerpt_tokens(subject: Subject, *, rates: Sequence[float] = RATES) -> int:
    """The longest excerpt that rows hold twice, corrupted and restored.

    Insertion at a rate r makes it 1 + r times as long.
    """
    decoder, encoder = subject.shape.decoder, subject.shape.encoder
    corrupted = 1 + max(rates)
    if encoder is None:
        return int((decoder.slots - SPARE) / (corrupted + 1))
    return min(int((encoder.slots - SPARE) / corrupted), decoder.slots - SPARE)


def excerpts(
    subject: Subject,
    texts: Sequence[str],
    *,
    rates: Sequence[float] = RATES,
    most_tokens: int | None = None,
) -> list[tuple[int, Tokens]]:
    """The beginning of each text, with its document, as far as rows hold it twice.

    Args:
      subject: the model.
      texts: documents; those of less than half of what rows hold are left out.
      rates: at which the excerpts are to be corrupted.
      most_tokens: of an excerpt; as many as rows hold unless told.
    """
    size = most_tokens or excerpt_tokens(subject, rates=rates)
    cut = ((n, subject.words.encode(text)[:size]) for n, text in enumerate(texts))
    return [(n, tokens) for n, tokens in cut if len(tokens) >= size // 2]


def restoring_mode(subject: Subject, kind: Kind) -> Mode:
    """The first mode fit for the corruption that was trained, else reconstruction."""
    modes = MODES_FOR[kind]
    fit: list[Mode] = [m for m in modes if subject.knows(m) and m not in NEVER_TRAINED]
    return fit[0] if fit else "reconstruction"


def restore(
    subject: Subject,
    taken: Sequence[tuple[int, Tokens]],
    *,
    kind: Kind,
    rate: float,
    filler: Filler | None = None,
    seed: int = 0,
) -> list[Restored]:
    """Corrupts excerpts, which depend on the seed alone, and restores them greedily.

    Args:
      subject: the model.
      taken: documents and excerpts, as `excerpts` gives them.
      kind: of corruption.
      rate: share of tokens, or of sentences, that are corrupted.
      filler: fills masks as a baseline.
      seed: of the corruptions.
    """
    ids = subject.words.special_ids
    mode = restoring_mode(subject, kind)
    which = (KINDS.index(kind), round(1000 * rate))
    made = [
        (
            document,
            corrupt(
                tokens,
                np.random.default_rng([seed, document, *which]),
                ids,
                kind=kind,
                rate=rate,
            ),
        )
        for document, tokens in taken
        if can_corrupt(tokens, ids, kind=kind)
    ]
    requests = [_request(subject, corrupted, mode) for _, corrupted in made]
    if mode == "masked":
        answers = _guessed(subject, requests)
    else:
        answers = _generated(subject, requests, mode)
    return [
        Restored(
            document,
            corrupted,
            assemble(request, answer, ids),
            unrestored(corrupted, ids),
            fill_masks(corrupted, ids, filler)
            if filler is not None and kind == "masking"
            else None,
        )
        for (document, corrupted), request, answer in zip(
            made, requests, answers, strict=True
        )
    ]


def _request(subject: Subject, corrupted: Corrupted, mode: Mode) -> Request:
    request = ask(corrupted, subject.words.special_ids, mode=mode)
    return request._replace(example=subject.showing(request.example, mode))


def _guessed(subject: Subject, requests: Sequence[Request]) -> list[Tokens]:
    """Every hidden token at once, each the most probable one."""
    return [a.astype(np.int32) for a in subject.guess([r.example for r in requests])]


def _generated(
    subject: Subject, requests: Sequence[Request], mode: Mode
) -> list[Tokens]:
    """One token after another, the most probable one each time."""
    ids = subject.words.special_ids
    # Only a model that fills in known places may not end, and only "span" names them.
    known = mode == "permuted"
    names = ids.sentinels if mode == "span" else ()
    allowed = np.zeros(subject.words.size, bool)
    allowed[[*ids.text, *names, *(() if known else (ids.eos,))]] = True
    generate = make_generate(
        subject.model,
        sampler=greedy,
        bos=ids.bos,
        eos=None if known else ids.eos,
        allowed=allowed,
    )
    encoder, slots = subject.shape.encoder, subject.shape.decoder.slots
    answers: list[Tokens] = []
    for first in range(0, len(requests), ROWS):
        part = list(requests[first : first + ROWS])
        filled = part + [part[0]] * (ROWS - len(part))
        examples = [request.example for request in filled]
        room = [slots if encoder else slots - len(e.inputs) for e in examples]
        written = generate(
            prompts(
                examples,
                given=[request.given for request in filled],
                inputs=(encoder or subject.shape.decoder).slots,
                targets=slots,
                lengths=[len(e.targets) for e in examples] if known else room,
            ),
            jax.random.split(jax.random.key(0), ROWS),
        )
        answers += [
            written.targets[n, request.given : written.lengths[n]]
            for n, request in enumerate(part)
        ]
    return answers
