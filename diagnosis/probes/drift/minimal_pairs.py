"""Restatements against the same with another number, name or polarity."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..choices.items import Item
from ..choices.paragraphs import word_count
from .stated_values import Stated, content, opposite, rare_words, stated_values
from .swaps import Sentence, Swap, sentences_of, shared

_TRIES = 200
"""Most pairs of values to try in a document."""

_SAME = 2
"""Least rare words that a sentence shares with one that it affirms or denies."""


def minimal_pairs(
    texts: Sequence[str],
    rng: np.random.Generator,
    *,
    each: int = 8,
    most_words: int = 400,
) -> list[Item]:
    """Restatements against themselves with one value swapped, found in text alone.

    As in BLiMP (Warstadt et al. 2020, §3), the two texts differ only in the value.
    Numbers, names and polarity are swapped as in FactCC (Kryscinski et al. 2020, §3.1),
    but the false value is a hard one: it was also stated before in the document, and
    has the same shape. A sentence restates a value if it shares more of the corpus's
    rare words with an earlier sentence that states it than with any that states the
    other.

    Neither value is likelier a priori. Numbers and names are exchanged in pairs: where
    17 replaces 21 in a document, 21 replaces 17 elsewhere in it. For each pair of
    `stated_values.POLES`, as many items over all texts affirm as deny. A value that
    occurs twice in its sentence is skipped.

    Args:
      texts: documents.
      rng: draws items where there are too many.
      each: most items of a document from numbers and names, and from polarity.
      most_words: in `before`, which is cut to whole sentences and still states both
        values.

    Returns:
      Items made by `Swap.item`.
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
    """An analysed text.

    Attributes:
      text: the text.
      sentences: its sentences.
      about: the rare words of each, which tell its topic.
      places: the mentions of each value, in order.
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
    """At most so many pairs of swaps that exchange two values."""
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
    """Swaps the last mention of a value that can be swapped."""
    mentions = reversed(document.places[true])
    return next(filter(None, (_swap(document, at, false, 1) for at in mentions)), None)


def _denials(document: _Read) -> list[Swap]:
    """Swaps of affirming and denying words for their opposites."""
    swaps = (
        _swap(document, at, opposite(value), _SAME)
        for value, stated in document.places.items()
        if stated[0].kind == "polarity"
        for at in stated
    )
    return [swap for swap in swaps if swap]


def _swap(document: _Read, at: Stated, false: str, common: int) -> Swap | None:
    """The swap of one mention; None if the text before does not tell the true value.

    It does if a sentence that states the true value shares at least `common` rare words
    with this one, and more than any that states the false value. Both values must be
    stated before, and the sentence must not begin with this one.
    """
    sentences, about = document.sentences, document.about
    sentence = sentences[at.sentence]
    parting = at.start + shared(at.value, false)
    first = sentence.words + word_count(document.text[sentence.start : parting])
    first -= document.most_words  # where `before` begins, in words

    stated = [document.places.get(value, []) for value in (at.value, false)]
    trues, falses = (
        [
            mention
            for mention in mentions
            if mention.sentence < at.sentence
            and sentences[mention.sentence].words >= first
        ]
        for mentions in stated
    )
    here = [sum(m.sentence == at.sentence for m in mentions) for mentions in stated]
    begins = at.start == sentence.start
    if begins or not trues or not falses or here != [1, 0]:
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
    """Draws as many swaps of each word as of its opposite."""
    words: dict[str, list[tuple[int, Swap]]] = defaultdict(list)
    for number, swap in swaps:
        words[swap.true].append((number, swap))
    kept: list[tuple[int, Swap]] = []
    for word, group in words.items():
        size = min(len(group), len(words.get(opposite(word), [])))
        kept += [group[at] for at in sorted(rng.permutation(len(group))[:size])]
    return kept
