"""Pairs that meet where a sentence ends: a true one and a false one that matches it."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Int

from .special_ids import SpecialIds
from .text import Text, Tokens
from .words import sentence_begins

Kind = Literal["other", "further", "swapped"]
Pair = tuple[Tokens, Tokens]

_DRAWS = 16
"""Documents among which the one that gives a negative its B is chosen."""


class Matched(NamedTuple):
    """A pair that continues, and one that does not and else is alike."""

    true: Pair
    false: Pair


class _Cut(NamedTuple):
    """A is `[begin, cut)` of the document, the true B `[cut, stop)` or less.

    Attributes:
      begin: where A begins.
      cut: where a sentence begins inside the window.
      stop: the window's end, EOS left out.
    """

    begin: int
    cut: int
    stop: int


def matched_pairs(
    text: Text,
    rng: np.random.Generator,
    ids: SpecialIds,
    *,
    rates: Mapping[Kind, float],
    distance: int | None,
) -> Matched | None:
    """A true and a false pair of texts, alike in all but what they say.

    Which of the two is shown is drawn after this, so lengths and ends can tell the
    kind of a pair but not its label. The kind is drawn in proportion to the rates;
    where the documents do not allow it, another one that is asked for takes its
    place, and swapping if there is none.

    A place is where a sentence begins: after a token that ends one, at a token that
    begins a word. The document's own ends are none: a true B never begins its
    document and a true A never ends it, so a swapped one that did would show.

    swapped: all whole sentences of the window, n ≥ 2 of them, cut after the k-th, k
    uniform from max(1, ⌊n/4⌋) to n less that. So (k, n - k) has the distribution of
    (n - k, k). How long the sentences are is up to the text.

    other, further: A is whole sentences and B begins with one. Both the true and the
    false B begin at the first sentence start at or after a place that is drawn with
    no regard to the text, and have the same number of tokens; where that falls inside
    a sentence, it does so for either. So neither is chosen by what follows its
    beginning. Neither ends its document: where one comes to its end, both are cut to
    a length drawn between a half of what there is and all of it.

    Args:
      text: the window.
      rng: source of all randomness.
      ids: reserved ids; sentences as in `words.sentence_begins`.
      rates: how often each kind is wanted.
      distance: tokens from the true B's beginning to the place from which the first
        sentence start is looked for; None: any place after the window.

    Returns:
      None where the window has too few sentences for any kind.
    """
    wanted = {kind: rate for kind, rate in rates.items() if rate}
    while wanted:
        weights = np.array(list(wanted.values()))
        drawn = int(rng.choice(len(wanted), p=weights / weights.sum()))
        kind = list(wanted)[drawn]
        made = _of_kind(kind, text, rng, ids, distance=distance)
        if made is not None:
            return made
        del wanted[kind]
    return _swapped(text, rng, ids)


def _of_kind(
    kind: Kind,
    text: Text,
    rng: np.random.Generator,
    ids: SpecialIds,
    *,
    distance: int | None,
) -> Matched | None:
    if kind == "swapped":
        return _swapped(text, rng, ids)
    at = _cut(text, rng, ids)
    if at is None:
        return None
    if kind == "other":
        return _against(text, at, _other(text, at, rng), rng, ids)
    return _against(text, at, _further(text, at, rng, distance=distance), rng, ids)


def _swapped(text: Text, rng: np.random.Generator, ids: SpecialIds) -> Matched | None:
    """The window's whole sentences in two parts; None if there are fewer than two."""
    starts = _sentence_starts(text.document, text.start, text.stop + 1, ids)
    sentences = len(starts) - 1
    if sentences < 2:
        return None
    fewest = max(1, sentences // 4)
    cut = starts[int(rng.integers(fewest, sentences - fewest + 1))]
    first = text.document[starts[0] : cut]
    second = text.document[cut : starts[-1]]
    return Matched((first, second), (second, first))


def _cut(text: Text, rng: np.random.Generator, ids: SpecialIds) -> _Cut | None:
    """The first sentence start at or after a place; None if there is none in time.

    The place is uniform between a quarter and three quarters of the window. There is
    no second try: it would prefer cuts before which, or after which, sentences are of
    certain lengths.
    """
    stop = min(text.stop, len(text.document) - 1)
    quarter, least = max(1, (stop - text.start) // 4), max(1, (stop - text.start) // 8)
    starts = _sentence_starts(text.document, text.start, stop - least + 1, ids)
    if not len(starts):
        return None
    begin = int(starts[0]) if text.start else 0
    low = max(text.start + quarter, begin + 1)
    if low > stop - quarter:
        return None
    place = int(rng.integers(low, stop - quarter + 1))
    later = starts[starts >= place]
    return _Cut(begin, int(later[0]), stop) if len(later) else None


def _against(
    text: Text,
    at: _Cut,
    place: tuple[Tokens, int] | None,
    rng: np.random.Generator,
    ids: SpecialIds,
) -> Matched | None:
    """The true B against as many tokens from the first sentence start after a place."""
    if place is None:
        return None
    document, low = place
    starts = _sentence_starts(document, low, low + at.stop - text.start, ids)
    if not len(starts):
        return None
    start, size = int(starts[0]), at.stop - at.cut
    left = len(document) - 1 - start
    if at.stop == len(text.document) - 1 or left <= size:
        room = min(size, left)
        if room < 2:
            return None
        size = int(rng.integers(-(-room // 2), room))
    first = text.document[at.begin : at.cut]
    true = text.document[at.cut : at.cut + size]
    return Matched((first, true), (first, document[start : start + size]))


def _other(
    text: Text, at: _Cut, rng: np.random.Generator
) -> tuple[Tokens, int] | None:
    """Any place of other documents that leaves as many tokens as the true B has."""
    size = at.stop - at.cut
    documents = [text.other(rng) for _ in range(_DRAWS)]
    places = np.array([max(0, len(document) - 1 - size) for document in documents])
    if not places.any():
        return None
    chosen = int(rng.choice(_DRAWS, p=places / places.sum()))
    return documents[chosen], int(rng.integers(places[chosen]))


def _further(
    text: Text, at: _Cut, rng: np.random.Generator, *, distance: int | None
) -> tuple[Tokens, int] | None:
    """The place at the distance, or any after the window that leaves enough tokens.

    Enough is what the true B has, or half of what there is.
    """
    if distance is not None:
        return text.document, at.cut + distance
    left = len(text.document) - 1 - at.stop
    places = left - min(at.stop - at.cut, left // 2)
    if places < 1:
        return None
    return text.document, at.stop + int(rng.integers(places))


def _sentence_starts(
    document: Tokens, low: int, high: int, ids: SpecialIds
) -> Int[np.ndarray, " starts"]:
    """Where sentences begin in `[low, high)` of a document, but not where it does."""
    low = max(low, 1)
    # One token more, which may end the sentence before.
    begins = sentence_begins(document[low - 1 : max(low, high)], ids)[1:]
    return low + np.flatnonzero(begins)
