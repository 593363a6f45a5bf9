"""Does B continue A? A true B against a false one, by the origin of the false one."""

import itertools
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from ..asking.forms import Pair
from ..choices.items import Item
from ..choices.overlap_balance import balance_overlap
from ..choices.paragraphs import Inner, beginning, ending, inner

Kind = Literal["other", "further", "swapped"]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""From another document; from further on in the same one; B before A."""

_DRAWS = 16
"""Documents tried to find one with enough words."""

_WINDOW = 8
"""Most sentences in the two parts that are swapped."""


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
    """True and false pairs of texts that meet at the end of a sentence.

    The kinds of negatives are those of BERT (Devlin et al. 2019, §3.1) and of ALBERT
    (Lan et al. 2020, §3.1), which differ in how much the topic gives away. As with the
    objective `sentence_pair`, neither B begins or ends its document; both begin with a
    sentence and are cut to the same number of words, drawn independently of either.
    "swapped" takes the whole sentences of a window, cut after the k-th of n, with k as
    likely as n - k. Of the kinds in `even`, items are dropped
    until the words that A and B share do not give the answer away
    (`balance_overlap`). "swapped" needs none of this, since both of its pairs share
    the same words; "other" asks whether the topic changes, which shared words show.

    Args:
      texts: documents.
      rng: draws the cuts and the items to drop.
      kinds: of negatives. "further" cuts anywhere, so what decides the order need not
        be in sight; `further.further_on` takes care that it is.
      even: kinds to balance by dropping items.
      each: items of a document for each kind.
      most_words: in A and in B; twice as many in both for "swapped".
      least_words: in B; documents too short for it give no item.

    Returns:
      Items with the kind of their negative.
    """
    parts = [inner(text) for text in texts]
    items: list[Item] = []
    for document in range(len(texts)):
        for kind in kinds:
            for _ in range(each):
                if kind == "swapped":
                    pairs = _swapped(parts[document], rng, most_words, least_words)
                else:
                    pairs = _cut(parts, document, kind, rng, most_words, least_words)
                if pairs is not None:
                    items.append(Item(document, kind, *pairs))
    balanced = balance_overlap([item for item in items if item.kind in even], rng)
    rest = [item for item in items if item.kind not in even]
    return sorted(rest + balanced, key=lambda item: item.document)


def _cut(
    parts: Sequence[Inner],
    document: int,
    kind: Kind,
    rng: np.random.Generator,
    most: int,
    least: int,
) -> tuple[Pair, Pair] | None:
    """A true and a false B of equal length after the same A."""
    text = parts[document]
    room = min(most, text.left[0] // 4) if text.left else 0
    if room < least:
        return None
    size = int(rng.integers(max(least, room // 2), room + 1))
    drawn = (_other if kind == "other" else _further)(parts, document, size, rng)
    if drawn is None:
        return None
    cut, source, place = drawn
    before = ending("".join(text.sentences[:cut]).lstrip(), most)
    true = beginning("".join(text.sentences[cut:]), size)
    false = beginning("".join(source.sentences[place:]), size)
    return (before, true), (before, false)


def _other(
    parts: Sequence[Inner], document: int, size: int, rng: np.random.Generator
) -> tuple[int, Inner, int] | None:
    """Where B begins, and any sentence of another document, one word longer."""
    if len(parts) < 2:
        return None
    drawn = rng.integers(len(parts) - 1, size=_DRAWS)
    elsewhere = [int(d) + int(d >= document) for d in drawn]
    source = next((parts[d] for d in elsewhere if parts[d].places(size + 1)), None)
    places = parts[document].places(size + 1)
    if source is None or places < 2:
        return None
    cut = int(rng.integers(1, places))
    return cut, source, int(rng.integers(source.places(size + 1)))


def _further(
    parts: Sequence[Inner], document: int, size: int, rng: np.random.Generator
) -> tuple[int, Inner, int] | None:
    """Where B begins, and any later sentence of the document."""
    text = parts[document]
    pairs = [
        (cut, later)
        for cut, later in itertools.combinations(range(1, text.places(size + 1)), 2)
        if text.left[cut] - text.left[later] >= size
    ]
    if not pairs:
        return None
    cut, later = pairs[int(rng.integers(len(pairs)))]
    return cut, text, later


def _swapped(
    text: Inner, rng: np.random.Generator, most: int, least: int
) -> tuple[Pair, Pair] | None:
    """Whole sentences in two parts, in order and swapped."""
    places = text.places(2 * least)
    if not places:
        return None
    window = text.window(int(rng.integers(places)), 2 * most)[:_WINDOW]
    if len(window) < 2:
        return None
    fewest = max(1, len(window) // 4)
    cut = int(rng.integers(fewest, len(window) - fewest + 1))
    first, second = "".join(window[:cut]), "".join(window[cut:])
    return (first.lstrip(), second), (second.lstrip(), first)
