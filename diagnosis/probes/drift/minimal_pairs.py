"""A later restatement against the same with another number, name or polarity."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..choices.items import Item
from ..choices.paragraphs import word_count
from .stated_values import Stated, content, opposite, rare_words, stated_values
from .swaps import Sentence, Swap, sentences_of

_TRIES = 200
"""Pairs of values of a document that are tried."""

_SAME = 2
"""Rare words that a sentence has in common with one that it affirms or denies."""


def minimal_pairs(
    texts: Sequence[str],
    rng: np.random.Generator,
    *,
    each: int = 8,
    most_words: int = 400,
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

    Returns:
      Items of swaps (`Swap.item`).
    """
    swaps: list[tuple[int, Swap]] = []
    poles: list[tuple[int, Swap]] = []
    rare = rare_words(texts)
    for number, text in enumerate(texts):
        document = _read(text, rare, most_words)
        exchanges = _exchanges(document, rng, each // 2)
        swaps += [(number, swap) for exchange in exchanges for swap in exchange]
        denials = _denials(document)
        poles += [(number, denials[at]) for at in rng.permutation(len(denials))[:each]]
    swaps += _balanced(poles, rng)
    return [
        swap.item(number, texts[number], most_words=most_words)
        for number, swap in sorted(swaps, key=lambda pair: pair[0])
    ]


class _Read(NamedTuple):
    """A text that was read.

    Attributes:
      text: the text.
      sentences: its sentences.
      about: the rare words of each, which say what it is about.
      places: of each value, where it is stated, in order.
      most_words: before a swap, in which both values must be stated.
    """

    text: str
    sentences: list[Sentence]
    about: list[frozenset[str]]
    places: dict[str, list[Stated]]
    most_words: int


def _read(text: str, rare: frozenset[str], most_words: int) -> _Read:
    sentences = sentences_of(text)
    about = [
        content(text[sentence.start : sentence.stop]) & rare for sentence in sentences
    ]
    places: dict[str, list[Stated]] = defaultdict(list)
    for stated in stated_values(text, sentences):
        places[stated.value].append(stated)
    return _Read(text, sentences, about, dict(places), most_words)


def _exchanges(
    document: _Read, rng: np.random.Generator, most: int
) -> list[tuple[Swap, Swap]]:
    """At most so many pairs of swaps, each of two values for one another."""
    shapes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for value, stated in document.places.items():
        if stated[0].kind != "polarity" and stated[0].sentence < stated[-1].sentence:
            shapes[stated[0].kind, stated[0].shape].append(value)
    pairs = [
        pair for values in shapes.values() for pair in itertools.combinations(values, 2)
    ]
    exchanges: list[tuple[Swap, Swap]] = []
    for at in rng.permutation(len(pairs))[:_TRIES]:
        if len(exchanges) == most:
            break
        first, second = pairs[at]
        forward = _last_swap(document, first, second)
        backward = forward and _last_swap(document, second, first)
        if forward and backward:
            exchanges.append((forward, backward))
    return exchanges


def _last_swap(document: _Read, true: str, false: str) -> Swap | None:
    """Swaps the last mention of a value that allows for it."""
    mentions = reversed(document.places[true])
    return next(filter(None, (_swap(document, at, false, 1) for at in mentions)), None)


def _denials(document: _Read) -> list[Swap]:
    """Swaps of the words that affirm or deny, for their opposites."""
    swaps = (
        _swap(document, at, opposite(value), _SAME)
        for value, stated in document.places.items()
        if stated[0].kind == "polarity"
        for at in stated
    )
    return [swap for swap in swaps if swap]


def _swap(document: _Read, at: Stated, false: str, common: int) -> Swap | None:
    """The swap of one mention; None where the text before does not say which is true.

    It says so where a sentence that states the true value has at least so many rare
    words in `common` with this one, and more than any that states the false value.
    Both values are stated before, and the sentence does not begin with this one.
    """
    sentences, about = document.sentences, document.about
    sentence = sentences[at.sentence]
    first = sentence.words + word_count(document.text[sentence.start : at.start])
    first -= document.most_words  # in words, what is shown begins here

    def before(value: str) -> list[Stated]:
        stated = document.places.get(value, [])
        near = (s for s in stated if s.sentence < at.sentence)
        return [s for s in near if sentences[s.sentence].words >= first]

    def here(value: str) -> int:
        stated = document.places.get(value, [])
        return sum(s.sentence == at.sentence for s in stated)

    trues, falses = before(at.value), before(false)
    begins = at.start == sentence.start
    if begins or not trues or not falses or here(at.value) > 1 or here(false):
        return None
    topic = about[at.sentence] - content(f"{at.value} {false}")
    support, rival = (
        max(len(topic & about[s.sentence]) for s in places)
        for places in (trues, falses)
    )
    if support < common or support <= rival:
        return None
    evidence = sentences[min(trues[0].sentence, falses[0].sentence)]
    return Swap(at.kind, at.start, at.value, false, trues[-1].start, evidence, sentence)


def _balanced(
    swaps: Sequence[tuple[int, Swap]], rng: np.random.Generator
) -> list[tuple[int, Swap]]:
    """As many swaps of each word as of its opposite, drawn from all documents."""
    words: dict[str, list[tuple[int, Swap]]] = defaultdict(list)
    for number, swap in swaps:
        words[swap.true].append((number, swap))
    kept: list[tuple[int, Swap]] = []
    for word, group in words.items():
        size = min(len(group), len(words.get(opposite(word), [])))
        kept += [group[at] for at in sorted(rng.permutation(len(group))[:size])]
    return kept
