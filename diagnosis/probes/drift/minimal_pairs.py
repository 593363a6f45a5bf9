"""A later restatement against the same with another number, name or polarity."""

from collections.abc import Sequence

import numpy as np

from ..asking.forms import Pair
from ..choices.items import Item
from ..choices.paragraphs import beginning, ending, word_count
from .restatements import Swap, balanced, denials, exchanges, read
from .stated_values import rare_words

BANDS = (64, 256)
"""Distances to the nearest earlier mention, in words, at which kinds part."""


def minimal_pairs(
    texts: Sequence[str],
    rng: np.random.Generator,
    *,
    each: int = 8,
    most_words: int = 400,
    most_after: int = 24,
    bands: Sequence[int] = BANDS,
) -> list[Item]:
    """Restatements against themselves with one value swapped, found in text alone.

    As in BLiMP (Warstadt et al. 2020, §3) the two texts differ in the value alone. As
    FactCC (Kryscinski et al. 2020, §3.1) swaps numbers, names and polarity, except
    that the false value is a hard one: it too was stated before, in the same document,
    and has the same shape. A sentence restates a value if it has more of the corpus's
    rare words in common with an earlier sentence that states it than with any that
    states the other.

    Neither value is likelier to be the true one. Numbers and names are swapped two by
    two: where 17 stands for 21 in a document, 21 stands for 17 elsewhere in it. Of
    each pair of `stated_values.POLES`, over all texts, as many items affirm as deny.
    A value that stands twice in its sentence is left alone.

    Args:
      texts: documents.
      rng: of which are taken, where there are more than asked for.
      each: most items of a document by numbers and names, and as many by polarity.
      most_words: of what is before, cut from the left where a sentence begins; both
        values are stated in what is left.
      most_after: words of the sentence from the value on.
      bands: of distances.

    Returns:
      Items of kinds such as "number, < 64 words", which is how far back the nearest
      earlier mention is. Their `local` is the sentence up to the value.
    """
    swaps: list[tuple[int, Swap]] = []
    poles: list[tuple[int, str, Swap]] = []
    rare = rare_words(texts)
    for number, text in enumerate(texts):
        document = read(text, rare)
        twos = exchanges(document, rng, most=each // 2, most_words=most_words)
        swaps += [(number, swap) for two in twos for swap in two]
        found = denials(document, most_words=most_words)
        chosen = [found[at] for at in rng.permutation(len(found))[:each]]
        poles += [(number, text[swap.start : swap.stop], swap) for swap in chosen]
    swaps += balanced(poles, rng)
    return [
        swapped_item(
            number,
            texts[number],
            swap,
            most_words=most_words,
            most_after=most_after,
            bands=bands,
        )
        for number, swap in sorted(swaps, key=lambda found: found[0])
    ]


def swapped_item(
    number: int,
    text: str,
    swap: Swap,
    *,
    most_words: int,
    most_after: int,
    bands: Sequence[int] = BANDS,
) -> Item:
    """The item of a swap: the two texts part where `after` begins.

    Args:
      number: of the document.
      text: the document.
      swap: what to swap.
      most_words: of what is before.
      most_after: words of the sentence from the value on.
      bands: of distances.
    """
    start, true, false = swap.start, text[swap.start : swap.stop], swap.false
    for left, right in ((true, false), (false, true)):
        if right.startswith(f"{left} "):
            # "is" against "is not": they part after the word that both have.
            start, true, false = (
                start + len(left),
                true[len(left) :],
                false[len(left) :],
            )
            break
    said = text[:start].rstrip()
    blanks, rest = text[len(said) : start], text[swap.stop : swap.end]
    before = ending(said, most_words)
    pairs: list[Pair] = [
        (before, beginning(blanks + value + rest, most_after))
        for value in (true, false)
    ]
    band = distance_band(word_count(text[swap.earlier : swap.start]), bands)
    local = min(len(before), max(0, len(said) - swap.sentence))
    needed = min(len(before), max(0, len(said) - swap.needed))
    return Item(number, f"{swap.kind}, {band}", pairs[0], pairs[1], local, needed)


def distance_band(words: int, bands: Sequence[int] = BANDS) -> str:
    """A distance in words, as one of a few bands."""
    for band in bands:
        if words < band:
            return f"< {band} words"
    return f"≥ {bands[-1]} words"
