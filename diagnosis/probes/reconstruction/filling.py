"""A 5-gram model that fills masks: the shallow baseline of restoration."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from ....objectives.errors import UsageError
from ....objectives.special_ids import SpecialIds
from ....objectives.text import Tokens
from ....tasks.shallow.ngram import ORDER, Ngrams
from .corruptions import Corrupted

CANDIDATES = 20
"""Candidates for a mask: so many frequent successors of the token before it, and as
many frequent predecessors of the token after it."""


class Filler(NamedTuple):
    """Counts to fill masks with; made by `learn_filler`.

    Attributes:
      language: a 5-gram model of tokens, each written as its id in digits.
      after: the most frequent successors of each token; under "" those of any.
      before: the most frequent predecessors of each token.
    """

    language: Ngrams
    after: Mapping[str, tuple[str, ...]]
    before: Mapping[str, tuple[str, ...]]


def learn_filler(documents: Iterable[Tokens]) -> Filler:
    """Learns from documents of the training split; some hundreds are enough."""
    texts = [_words(document) for document in documents]
    after: dict[str, Counter[str]] = defaultdict(Counter)
    before: dict[str, Counter[str]] = defaultdict(Counter)
    for words in texts:
        after[""].update(words)
        for first, second in itertools.pairwise(words):
            after[first][second] += 1
            before[second][first] += 1
    often = [
        {word: tuple(dict(n.most_common(CANDIDATES))) for word, n in counts.items()}
        for counts in (after, before)
    ]
    return Filler(Ngrams(texts), *often)


def fill_masks(corrupted: Corrupted, ids: SpecialIds, filler: Filler) -> Tokens:
    """Fills masks greedily from left to right.

    A mask becomes the candidate w with the highest p(w, next | last four), where next
    are the tokens up to the next mask, at most four; ties go to the more frequent
    successor of the last token.

    Raises:
      ValueError: the corruption is not masking, so it does not say what is missing.
    """
    if corrupted.kind != "masking":
        raise UsageError(
            f"a 5-gram fills masks, but the excerpt was corrupted by {corrupted.kind}; "
            "use `restoring.unrestored` as its baseline."
        )
    words = _words(corrupted.tokens)
    mask = str(ids.mask)
    for place in corrupted.missing.tolist():
        behind = words[place + 1 : place + ORDER]
        behind = behind[: behind.index(mask)] if mask in behind else behind
        last = words[place - 1] if place else ""
        candidates = filler.after.get(last) or filler.after[""]
        if behind:
            candidates = dict.fromkeys((*candidates, *filler.before.get(behind[0], ())))
        history = words[max(0, place - ORDER + 1) : place]
        words[place] = max(
            candidates,
            key=lambda word, behind=behind, history=history: (
                filler.language.log_probability([word, *behind], history)
            ),
        )
    return np.array([int(word) for word in words], np.int32)


def _words(tokens: Tokens) -> list[str]:
    return [str(token) for token in tokens.tolist()]
