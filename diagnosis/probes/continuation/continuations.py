"""Does B continue A? A true B against a false one, by where the false one is from."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from ..asking.forms import Pair
from ..choices.items import Item
from ..choices.overlap_balance import evenly_shared
from ..choices.paragraphs import beginning, ending, sentences, word_count

Kind = Literal["other", "further", "swapped"]

KINDS: tuple[Kind, ...] = ("other", "further", "swapped")
"""From another document; from further on in the same; B before A."""

_DRAWS = 16


class _Inner(NamedTuple):
    """A document's sentences without its first and last, which would show.

    Attributes:
      sentences: each with the blanks before it.
      left: of each, how many words there are from it on.
    """

    sentences: list[str]
    left: list[int]


def continuations(
    texts: Sequence[str],
    rng: np.random.Generator,
    *,
    kinds: Sequence[Kind] = KINDS,
    even: Sequence[Kind] = ("further",),
    each: int = 1,
    most_words: int = 48,
    least_words: int = 12,
) -> list[Item]:
    """Pairs of texts that meet where a sentence ends, true ones against false ones.

    The kinds of negatives are those of BERT (Devlin et al. 2019, §3.1) and of ALBERT
    (Lan et al. 2020, §3.1), which differ in how much the topic gives away. As the
    objective `sentence_pair` does, neither B begins or ends its document, both begin
    where a sentence does and are cut to as many words, a number that is drawn without
    a look at either. "swapped" has all whole sentences of a window, cut after the k-th
    of n, k uniform and as likely as n - k. Items are dropped until words that A and B
    have in common do not tell (`evenly_shared`), of the kinds in `even`. "swapped" has
    no need of it, as both pairs have the same words in common. "other" is not among
    them: that the topic changes is what it asks, and common words show it.

    Args:
      texts: documents.
      rng: of where the texts are cut, and of which items are dropped.
      kinds: which negatives.
      even: of which kinds items are dropped, to even out common words.
      each: items of a document for each kind, where it allows for any.
      most_words: of A and of B; of both for "swapped" twice as many.
      least_words: of B; documents too short for it give no item.

    Returns:
      Items whose kinds are those of the negatives.
    """
    inner = [_inner(text) for text in texts]
    make: dict[Kind, Callable[[int], tuple[Pair, Pair] | None]] = {
        "other": lambda at: _other(inner, at, rng, most_words, least_words),
        "further": lambda at: _further(inner[at], rng, most_words, least_words),
        "swapped": lambda at: _swapped(inner[at], rng, most_words, least_words),
    }
    items: list[Item] = []
    for document in range(len(texts)):
        for kind in kinds:
            for _ in range(each):
                made = make[kind](document)
                if made is not None:
                    items.append(Item(document, kind, *made))
    evened = evenly_shared([item for item in items if item.kind in even], rng)
    rest = [item for item in items if item.kind not in even]
    return sorted(rest + evened, key=lambda item: item.document)


def _inner(text: str) -> _Inner:
    found = sentences(text)[1:-1]
    counts = [word_count(sentence) for sentence in found]
    left = np.cumsum(counts[::-1])[::-1].tolist() if counts else []
    return _Inner(found, left)


def _size(inner: _Inner, rng: np.random.Generator, most: int, least: int) -> int | None:
    """Words of both Bs: drawn from half of what may be; None if that is too few."""
    room = min(most, inner.left[0] // 4) if inner.left else 0
    return int(rng.integers(max(least, room // 2), room + 1)) if room >= least else None


def _places(inner: _Inner, size: int) -> int:
    """From how many of its sentences on a document has more words than that."""
    return sum(left > size for left in inner.left)


def _other(
    inner: Sequence[_Inner], at: int, rng: np.random.Generator, most: int, least: int
) -> tuple[Pair, Pair] | None:
    """A false B from any sentence of another document that has as many words."""
    size = _size(inner[at], rng, most, least)
    if size is None or len(inner) < 2:
        return None
    drawn = rng.integers(len(inner) - 1, size=_DRAWS)
    elsewhere = [int(d) + int(d >= at) for d in drawn]
    source = next((inner[d] for d in elsewhere if _places(inner[d], size)), None)
    places = _places(inner[at], size)
    if source is None or places < 2:
        return None
    cut = int(rng.integers(1, places))
    return _against(
        inner[at], cut, source, int(rng.integers(_places(source, size))), size, most
    )


def _further(
    inner: _Inner, rng: np.random.Generator, most: int, least: int
) -> tuple[Pair, Pair] | None:
    """A false B from any sentence of the document after the true one."""
    size = _size(inner, rng, most, least)
    if size is None:
        return None
    places = _places(inner, size)
    pairs = [
        (cut, later)
        for cut in range(1, places)
        for later in range(cut + 1, places)
        if inner.left[cut] - inner.left[later] >= size
    ]
    if not pairs:
        return None
    cut, later = pairs[int(rng.integers(len(pairs)))]
    return _against(inner, cut, inner, later, size, most)


def _against(
    inner: _Inner, cut: int, source: _Inner, place: int, size: int, most: int
) -> tuple[Pair, Pair]:
    """As many words from the cut as from another place, after the text before it."""
    before = ending("".join(inner.sentences[:cut]).lstrip(), most)
    true = beginning("".join(inner.sentences[cut:]), size)
    false = beginning("".join(source.sentences[place:]), size)
    return (before, true), (before, false)


def _swapped(
    inner: _Inner, rng: np.random.Generator, most: int, least: int
) -> tuple[Pair, Pair] | None:
    """Whole sentences in two parts, in their order and in the other."""
    places = sum(left >= 2 * least for left in inner.left)
    if not places:
        return None
    at = int(rng.integers(places))
    window = inner.sentences[at : at + 8]
    while window and sum(map(word_count, window)) > 2 * most:
        window = window[:-1]
    if len(window) < 2:
        return None
    fewest = max(1, len(window) // 4)
    cut = int(rng.integers(fewest, len(window) - fewest + 1))
    first, second = "".join(window[:cut]), "".join(window[cut:])
    return (first.lstrip(), second), (second.lstrip(), first)
