"""Pairs that meet where a sentence ends: a true one and a false one that matches it."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Int

from .special_ids import SpecialIds
from .tally import count
from .text import Text, Tokens
from .words import sentence_begins

Kind = Literal["other", "further", "swapped"]
Pair = tuple[Tokens, Tokens]

DRAWS = 16
"""Documents among which the one that gives a negative its B is chosen."""

TOO_SHORT = "no other document long enough"
"""The event that none of the documents drawn can give a negative its B."""

_REACH = 128
"""Tokens among which the first sentence start is looked for."""


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


class _Source(NamedTuple):
    """What gives a false B: `size` tokens of a document from a sentence start on.

    The start is the first one at or after `low`.
    """

    document: Tokens
    low: int
    size: int


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
    begins a word.

    swapped: all whole sentences of the window, n ≥ 2 of them, cut after the k-th, k
    uniform from max(1, ⌊n/4⌋) to n less that. So (k, n - k) has the distribution of
    (n - k, k). How long the sentences are is up to the text. What begins or ends its
    document is left out, for a true B never begins and a true A never ends one; only
    where fewer than two sentences are left is it taken.

    other, further: A is whole sentences and B begins with one. Both the true and the
    false B begin at the first sentence start at or after a place that is drawn with
    no regard to the text, and have the same number of tokens; where that falls inside
    a sentence, it does so for either. So neither is chosen by what follows its
    beginning. Neither ends its document: where one would, both are cut to a length
    drawn between a half of what there is and all of it.

    Args:
      text: the window.
      rng: source of all randomness.
      ids: reserved ids; sentences as in `words.sentence_begins`.
      rates: relative frequency of each kind.
      distance: tokens from the true B's beginning to the place from which the first
        sentence start is looked for; None: any place after the window.

    Returns:
      None if the window has too few sentences for any kind.
    """
    untried = {kind: rate for kind, rate in rates.items() if rate}
    at = _cut(text, rng, ids)
    while untried:
        weights = np.array(list(untried.values()))
        drawn = int(rng.choice(len(untried), p=weights / weights.sum()))
        kind = list(untried)[drawn]
        del untried[kind]
        pair = None
        if kind == "swapped":
            pair = _swapped(text, rng, ids)
        elif at is not None and kind == "other":
            pair = _against(text, at, _other(text, at, rng), rng, ids)
        elif at is not None:
            later = _further(text, at, rng, distance=distance)
            pair = _against(text, at, later, rng, ids)
        if pair is not None:
            return pair
    if not rates["swapped"]:
        count("negatives swapped instead")
    return _swapped(text, rng, ids)


def _swapped(text: Text, rng: np.random.Generator, ids: SpecialIds) -> Matched | None:
    """The window's whole sentences in two parts; None if there are fewer than two."""
    starts = _sentence_starts(text.document, text.start, text.stop + 1, ids)
    if len(starts) < 3:
        starts = _with_own_ends(text, starts, ids)
    sentences = len(starts) - 1
    if sentences < 2:
        return None
    fewest = max(1, sentences // 4)
    cut = starts[int(rng.integers(fewest, sentences - fewest + 1))]
    first = text.document[starts[0] : cut]
    second = text.document[cut : starts[-1]]
    return Matched((first, second), (second, first))


def _with_own_ends(
    text: Text, starts: Int[np.ndarray, " starts"], ids: SpecialIds
) -> Int[np.ndarray, " more"]:
    """The places, and the document's own ends where sentences begin and end there."""
    document, stop = text.document, len(text.document) - 1
    opens = text.start == 0 and document[0] in ids.word_starts
    closes = text.stop >= stop and document[stop - 1] in ids.sentence_ends
    return np.concatenate([[0][:opens], starts, [stop][:closes]]).astype(np.int64)


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
    source: _Source | None,
    rng: np.random.Generator,
    ids: SpecialIds,
) -> Matched | None:
    """The true B against equally many tokens from another place."""
    if source is None:
        return None
    document, low, size = source
    starts = _sentence_starts(document, low, low + _REACH, ids)
    if not len(starts):
        return None
    start = int(starts[0])
    left = len(document) - 1 - start
    if left <= size or at.cut + size == len(text.document) - 1:
        room = min(size, left)
        if room < 2:
            return None
        size = int(rng.integers(-(-room // 2), room))
    first = text.document[at.begin : at.cut]
    true = text.document[at.cut : at.cut + size]
    return Matched((first, true), (first, document[start : start + size]))


def _other(text: Text, at: _Cut, rng: np.random.Generator) -> _Source | None:
    """Any place of other documents with as many tokens left as the true B has."""
    size = at.stop - at.cut
    documents = [text.other(rng) for _ in range(DRAWS)]
    places = np.array([max(0, len(document) - 1 - size) for document in documents])
    if not places.any():
        count(TOO_SHORT)
        return None
    chosen = int(rng.choice(DRAWS, p=places / places.sum()))
    return _Source(documents[chosen], int(rng.integers(places[chosen])), size)


def _further(
    text: Text, at: _Cut, rng: np.random.Generator, *, distance: int | None
) -> _Source | None:
    """The place at the distance, or any after the window that leaves enough tokens.

    Enough is what the true B has, or half of what there is. At a distance the two Bs
    may share text, so how long they are must not depend on where sentences begin: it
    is as if the false one began as late as it can.
    """
    size = at.stop - at.cut
    end = len(text.document) - 1
    if distance is not None:
        low = at.cut + distance
        room = min(size, end - low - _REACH)
        return _Source(text.document, low, room) if 2 * room >= size else None
    places = end - at.stop - min(size, (end - at.stop) // 2)
    if places < 1:
        return None
    return _Source(text.document, at.stop + int(rng.integers(places)), size)


def _sentence_starts(
    document: Tokens, low: int, high: int, ids: SpecialIds
) -> Int[np.ndarray, " starts"]:
    """Where sentences begin in `[low, high)` of a document, but not where it does."""
    low = max(low, 1)
    # One token more, which may end the sentence before.
    begins = sentence_begins(document[low - 1 : max(low, high)], ids)[1:]
    return low + np.flatnonzero(begins)
