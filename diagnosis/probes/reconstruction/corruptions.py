"""Corrupts excerpts: masks, deletions, insertions, shuffled sentences."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Int

from ....objectives.errors import UsageError, nearest
from ....objectives.special_ids import SpecialIds
from ....objectives.text import Tokens
from ....objectives.words import sentence_begins
from ..asking.subject import Subject

Kind = Literal["masking", "deletion", "insertion", "shuffling"]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""Kinds of corruption."""

RATES = (0.05, 0.15, 0.3, 0.5)
"""Rates of corruption that the probe measures."""

SPARE = 8
"""Slots reserved for an answer that is longer than the excerpt."""

_FEWEST_SENTENCES = 3
"""Least sentences to shuffle: two change places, one stays."""


class Corrupted(NamedTuple):
    """A corrupted excerpt; places count from 0 in the original.

    Worked example, `a b c d` at a rate of .5:

        kind        tokens         untouched   missing
        masking     a _ c _        0 2         1 3
        deletion    a c            0 2         1 3
        insertion   a x b c y d    0 1 2 3

    and, at a rate of .67, the three sentences `a b. c. d e.`:

        shuffling   d e. c. a b.   2           0 1 3 4

    Attributes:
      kind: of corruption.
      original: the excerpt.
      tokens: the corrupted excerpt.
      untouched: places of the original that `tokens` holds in order, ascending; not
        empty.
      missing: the other places, to be restored, ascending; empty for an insertion.
    """

    kind: Kind
    original: Tokens
    tokens: Tokens
    untouched: Int[np.ndarray, " untouched"]
    missing: Int[np.ndarray, " missing"]

    @property
    def kept(self) -> Tokens:
        """The tokens that a restoration only has to copy."""
        return self.original[self.untouched]


def excerpt_tokens(
    subject: Subject, *, kind: Kind = "masking", rate: float = 0.0
) -> int:
    """The longest excerpt that fits rows both corrupted and restored.

    Insertion at a rate r makes it 1 + r times as long. As long as rows allow, since
    that is what training shows: a model that learnt to copy from windows of one length
    loses its place in shorter ones (`results/LOG.md`).
    """
    decoder, encoder = subject.shape.decoder, subject.shape.encoder
    corrupted = 1 + rate if kind == "insertion" else 1.0
    if encoder is None:
        return int((decoder.slots - SPARE) / (corrupted + 1))
    return min(int((encoder.slots - SPARE) / corrupted), decoder.slots - SPARE)


def excerpts(
    subject: Subject, texts: Sequence[str], *, most_tokens: int | None = None
) -> list[tuple[int, Tokens]]:
    """The number of each document and its beginning, as long as rows allow.

    Args:
      subject: the model.
      texts: documents; those shorter than half of the limit are left out.
      most_tokens: limit of an excerpt; None for what rows hold.
    """
    size = most_tokens or excerpt_tokens(subject)
    beginnings = (
        (n, subject.vocab.encode(text)[:size]) for n, text in enumerate(texts)
    )
    return [(n, tokens) for n, tokens in beginnings if len(tokens) >= size // 2]


def can_corrupt(tokens: Tokens, ids: SpecialIds, *, kind: Kind) -> bool:
    """Whether an excerpt has the two tokens, or three sentences, that are needed."""
    if kind == "shuffling":
        return int(sentence_begins(tokens, ids).sum()) >= _FEWEST_SENTENCES
    return len(tokens) >= 2


def corrupt(
    tokens: Tokens,
    rng: np.random.Generator,
    ids: SpecialIds,
    *,
    kind: Kind,
    rate: float,
) -> Corrupted:
    """Corrupts a share of an excerpt.

    masking: each chosen token is replaced by a mask. deletion: it is removed.
    insertion: tokens of `ids.text` are inserted anywhere. shuffling: chosen sentences
    change places among themselves.

    Fixed: the number. Of N tokens max(1, round(rate · N)), with at least one neither
    masked nor deleted; of n sentences max(2, round(rate · n)), with at least one fixed.

    Random: the subset, uniformly; for an insertion, the arrangement of old and new
    tokens, and each new token from `ids.text`, which may equal its neighbour; for
    shuffling, the order, among those that move every chosen sentence. Swapping equal
    sentences changes nothing.

    Args:
      tokens: the excerpt's text, without EOS.
      rng: source of all randomness.
      ids: reserved ids; sentences as in `words.sentence_begins`.
      kind: of corruption.
      rate: share of the tokens, or of the sentences, above 0 and at most 1.

    Raises:
      ValueError: an unknown kind, a rate out of range, or an excerpt that is too short
        (`can_corrupt`) or ends in EOS.
    """
    _require(tokens, ids, kind=kind, rate=rate)
    if kind == "shuffling":
        return _shuffled(tokens, rng, ids, rate=rate)
    count = max(1, round(rate * len(tokens)))
    places = np.arange(len(tokens))
    if kind == "insertion":
        corrupted = _inserted(tokens, count, rng, ids)
        return Corrupted(kind, tokens, corrupted, places, places[:0])
    count = min(count, len(tokens) - 1)
    missing = np.sort(rng.choice(len(tokens), count, replace=False))
    untouched = np.delete(places, missing)
    if kind == "deletion":
        return Corrupted(kind, tokens, tokens[untouched], untouched, missing)
    corrupted = tokens.copy()
    corrupted[missing] = ids.mask
    return Corrupted(kind, tokens, corrupted, untouched, missing)


def _require(tokens: Tokens, ids: SpecialIds, *, kind: str, rate: float) -> None:
    if kind not in KINDS:
        raise UsageError(f"kind is {kind!r}; {nearest(kind, KINDS)}")
    if not 0 < rate <= 1:
        raise UsageError(
            f"rate is {rate}; it is the share that is corrupted, so set it above 0 and "
            "to 1 at most, such as 0.15."
        )
    if ids.eos in tokens[-1:]:
        raise UsageError(
            "the excerpt ends in EOS, which is no text to restore; leave it out."
        )
    if not can_corrupt(tokens, ids, kind=kind):
        sentences = int(sentence_begins(tokens, ids).sum())
        raise UsageError(
            f"an excerpt of {len(tokens)} tokens and {sentences} sentences is too "
            f"short for {kind}, which needs two tokens, or {_FEWEST_SENTENCES} "
            "sentences to move some; choose excerpts for which `can_corrupt` holds."
        )


def _inserted(
    tokens: Tokens, count: int, rng: np.random.Generator, ids: SpecialIds
) -> Tokens:
    """The tokens in order, with random ones inserted."""
    corrupted = np.empty(len(tokens) + count, np.int32)
    new = np.zeros(len(corrupted), bool)
    new[rng.choice(len(corrupted), count, replace=False)] = True
    corrupted[new] = rng.choice(ids.text, count)
    corrupted[~new] = tokens
    return corrupted


def _shuffled(
    tokens: Tokens, rng: np.random.Generator, ids: SpecialIds, *, rate: float
) -> Corrupted:
    """The tokens with some of their sentences permuted."""
    starts = np.flatnonzero(sentence_begins(tokens, ids))
    sentences = np.split(np.arange(len(tokens)), starts[1:])
    count = min(max(2, round(rate * len(sentences))), len(sentences) - 1)
    chosen = np.sort(rng.choice(len(sentences), count, replace=False))
    order = np.arange(len(sentences))
    order[chosen] = chosen[_derangement(count, rng)]
    corrupted = tokens[np.concatenate([sentences[n] for n in order])]
    missing = np.concatenate([sentences[n] for n in chosen])
    untouched = np.delete(np.arange(len(tokens)), missing)
    return Corrupted("shuffling", tokens, corrupted, untouched, missing)


def _derangement(count: int, rng: np.random.Generator) -> Int[np.ndarray, " count"]:
    """A uniformly random derangement, by rejection: about one order in e is one."""
    identity = np.arange(count)
    while True:
        order = rng.permutation(count)
        if not (order == identity).any():
            return order
