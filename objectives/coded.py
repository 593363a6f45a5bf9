"""Text whose tokens encode their place, to trace what an objective does with it.

An objective never looks at what a token means, only at whether it begins a word or can
end a sentence. So a text in which each token is a code of its own place goes through it
as real text does, and in the Example each code says where its token was from.
"""

import functools
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from .errors import UsageError
from .example import Example
from .special_ids import SpecialIds
from .text import Text

FIRST = 512
"""Code of the first token of the document; place n of it is FIRST + n."""

MOST = 1 << 13
"""Most tokens of a coded document."""

OTHER = FIRST + MOST
"""First code of other documents, of which there are up to twice as many."""

WORD, SENTENCE = 3, 6
"""Tokens a word, and a sentence, of coded text."""


@functools.cache
def coded_ids() -> SpecialIds:
    """Reserved ids below the codes. Random tokens are drawn from ids of no place."""
    codes = FIRST + np.arange(4 * MOST, dtype=np.int32)
    return SpecialIds(
        pad=0,
        eos=1,
        bos=2,
        mask=3,
        sep=4,
        labels=(5, 6),
        modes=(7, 8, 9),
        fill=(10, 11, 12),
        sentinels=tuple(range(112, 12, -1)),
        text=np.arange(128, FIRST, dtype=np.int32),
        word_starts=codes[::WORD],
        sentence_ends=codes[SENTENCE - 1 :: SENTENCE],
    )


def coded_text(length: int, start: int = 0, stop: int | None = None) -> Text:
    """The window `[start, stop)` of a coded document of `length` tokens, EOS included.

    Other documents are as long, begin a sentence as this one does, and are of codes
    that no place of this one has.

    Raises:
      ValueError: the document is longer than `MOST` tokens.
    """
    if length > MOST:
        raise UsageError(
            f"a coded document of {length} tokens was asked for; at most {MOST} have "
            "codes of their own."
        )
    other = functools.partial(_other, length)
    return Text(_codes(FIRST, length), start, length if stop is None else stop, other)


def _codes(first: int, length: int) -> Int[np.ndarray, " N"]:
    """A document of `length` tokens, EOS included, from a code on."""
    codes = np.arange(first, first + length, dtype=np.int32)
    codes[-1] = coded_ids().eos
    return codes


def _other(length: int, rng: np.random.Generator) -> Int[np.ndarray, " N"]:
    first = -(-(OTHER - FIRST) // SENTENCE) * SENTENCE
    begin = FIRST + first + SENTENCE * int(rng.integers(MOST // SENTENCE))
    return _codes(begin, length)


def places(tokens: Int[np.ndarray, " N"]) -> Int[np.ndarray, " N"]:
    """Where in the document each token was from; -1 if it is from nowhere in it."""
    inside = (tokens >= FIRST) & (tokens < OTHER)
    return np.where(inside, tokens - FIRST, -1)


class Contexts(NamedTuple):
    """From what context supervised tokens are predicted; counts, or shares of them.

    Attributes:
      past: of the text, only what stands before the token is seen.
      both: what stands after it is seen as well.
      permuted: the same, and the tokens are asked for in a permuted order.
    """

    past: float
    both: float
    permuted: float


def contexts(example: Example) -> Contexts:
    """Counts the predictions of an Example of coded text by their context.

    A target without a place in the text takes that of the next target with one (a
    sentinel announces its span), else of the one before it (an EOS); a label, whose
    targets have no place, is about the whole text. An order counts as permuted if the
    targets' positions go back, which fill-in-the-middle's do not.
    """
    held = places(example.inputs)
    last = int(held.max(initial=-1))
    predicted = example.inputs_weights > 0
    seen = np.full(len(held), last)
    if len(example.inputs_sees):
        seen = np.maximum.accumulate(held)[example.inputs_sees - 1]
    both = int((predicted & (_in_place(example.inputs_targets) < seen)).sum())
    past = int(predicted.sum()) - both
    if len(example.targets_shown):
        predicted = example.targets_weights > 0
        seen = _seen_in_blocks(example)
        later = int((predicted & (_in_place(example.targets) < seen)).sum())
        return Contexts(past + int(predicted.sum()) - later, both + later, 0)

    order = places(example.targets)
    predicted = example.targets_weights > 0
    count = int(predicted.sum())
    if (order < 0).all():
        return Contexts(past, both + count, 0)
    if (np.diff(example.targets_positions) < 0).any():
        return Contexts(past, both, count)
    seen = np.maximum.accumulate(np.concatenate([[last], order[:-1]]))
    later = int((predicted & (seen > _filled(order))).sum())
    return Contexts(past + count - later, both + later, 0)


def _in_place(tokens: Int[np.ndarray, " N"]) -> Int[np.ndarray, " N"]:
    """Places of tokens that are predicted where they stand; EOS is behind them all."""
    return np.where(places(tokens) < 0, MOST, places(tokens))


def _seen_in_blocks(example: Example) -> Int[np.ndarray, " J"]:
    """The last place that the slot of each target sees; a block is a run of `sees`."""
    heads = np.flatnonzero(np.diff(example.targets_sees, prepend=-1))
    last = np.maximum.reduceat(places(example.targets_shown), heads)
    return np.repeat(last, np.diff(heads, append=len(example.targets)))


def _filled(order: Int[np.ndarray, " N"]) -> Int[np.ndarray, " N"]:
    """Places, with -1 replaced by the next one's, or at the end the one before."""
    known = np.flatnonzero(order >= 0)
    following = np.searchsorted(known, np.arange(len(order)))
    return order[known[np.minimum(following, len(known) - 1)]]
