"""Where a text states a value again, and which other values could stand there."""

from collections import defaultdict
from collections.abc import Container, Sequence
from typing import NamedTuple

import numpy as np

from ..choices.paragraphs import word_count
from .stated_values import (
    Sentence,
    Stated,
    content,
    opposite,
    sentences_of,
    stated_values,
)

_TRIES = 200
_SAME = 2
"""Rare words that a sentence has in common with one that it affirms or denies."""


class Swap(NamedTuple):
    """A place of a text where a value is restated, and what may stand there instead.

    Attributes:
      kind: "number", "entity" or "polarity".
      start: first character of the value.
      stop: one past its last.
      false: the words that may stand there instead.
      earlier: first character of the nearest earlier mention of the true value.
      needed: first character of what says which value is true, and states the false
        one.
      sentence: first character of the sentence that restates it.
      end: one past the last of that sentence.
    """

    kind: str
    start: int
    stop: int
    false: str
    earlier: int
    needed: int
    sentence: int
    end: int


class Read(NamedTuple):
    """A text that was read.

    Attributes:
      text: the text.
      sentences: its sentences.
      places: of each value, where it is stated, in order.
    """

    text: str
    sentences: list[Sentence]
    places: dict[str, list[Stated]]


def read(text: str, rare: Container[str]) -> Read:
    """Finds the sentences and the values of a text.

    Args:
      text: the text.
      rare: which words say what a sentence is about; `stated_values.rare_words`.
    """
    found = sentences_of(text, rare)
    places: dict[str, list[Stated]] = defaultdict(list)
    for stated in stated_values(text, found):
        places[stated.value].append(stated)
    return Read(text, found, dict(places))


def exchanges(
    document: Read, rng: np.random.Generator, *, most: int, most_words: int
) -> list[tuple[Swap, Swap]]:
    """Pairs of swaps, each of two values for one another.

    Args:
      document: the text.
      rng: of which pairs of values are tried; 200 are.
      most: pairs to find.
      most_words: before a swap, in which both values must be stated.
    """
    shapes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for value, stated in document.places.items():
        if stated[0].kind != "polarity" and stated[0].sentence < stated[-1].sentence:
            shapes[stated[0].kind, stated[0].shape].append(value)
    twos = [
        (first, second)
        for values in shapes.values()
        for index, first in enumerate(values)
        for second in values[index + 1 :]
    ]
    found: list[tuple[Swap, Swap]] = []
    for at in rng.permutation(len(twos))[:_TRIES]:
        if len(found) == most:
            break
        first, second = twos[at]
        one = _last_swap(document, first, second, most_words)
        other = one and _last_swap(document, second, first, most_words)
        if one and other:
            found.append((one, other))
    return found


def denials(document: Read, *, most_words: int) -> list[Swap]:
    """Swaps of the words that affirm or deny, for their opposites.

    Args:
      document: the text.
      most_words: before a swap, in which both words must be stated.
    """
    found: list[Swap] = []
    for value, stated in document.places.items():
        if stated[0].kind == "polarity":
            for at in stated:
                swap = _swap(document, at, opposite(value), most_words, _SAME)
                if swap:
                    found.append(swap)
    return found


def _last_swap(document: Read, true: str, false: str, most_words: int) -> Swap | None:
    """Swaps the last mention of a value that allows for it."""
    for at in reversed(document.places[true]):
        swap = _swap(document, at, false, most_words, 1)
        if swap:
            return swap
    return None


def _swap(
    document: Read, at: Stated, false: str, most_words: int, common: int
) -> Swap | None:
    """The swap of one mention; None where the text before does not say which is true.

    It says so where a sentence that states the true value has at least so many rare
    words in `common` with this one, and more than any that states the false value.
    Both values are stated before, and the sentence does not begin with this one.
    """
    own = document.sentences[at.sentence]
    here = own.words + word_count(document.text[own.start : at.start])

    def before(value: str) -> list[Stated]:
        stated = document.places.get(value, [])
        near = (s for s in stated if s.sentence < at.sentence)
        return [
            s for s in near if here - document.sentences[s.sentence].words <= most_words
        ]

    def here_too(value: str) -> int:
        stated = document.places.get(value, [])
        return sum(s.sentence == at.sentence for s in stated)

    trues, falses = before(at.value), before(false)
    begins = at.start == own.start
    if begins or not trues or not falses or here_too(at.value) > 1 or here_too(false):
        return None
    about = own.about - content(f"{at.value} {false}")
    best, rival = (
        max(len(about & document.sentences[s.sentence].about) for s in places)
        for places in (trues, falses)
    )
    if best < common or best <= rival:
        return None
    stop = at.start + len(at.value)
    told = document.sentences[min(trues[0].sentence, falses[0].sentence)]
    return Swap(
        at.kind,
        at.start,
        stop,
        false,
        trues[-1].start,
        told.start,
        own.start,
        own.stop,
    )


def balanced(
    swaps: Sequence[tuple[int, str, Swap]], rng: np.random.Generator
) -> list[tuple[int, Swap]]:
    """As many swaps of each word as of its opposite, drawn from all.

    Args:
      swaps: each with its document and the word that it swaps.
      rng: of which are drawn.
    """
    words: dict[str, list[tuple[int, Swap]]] = defaultdict(list)
    for number, word, swap in swaps:
        words[word].append((number, swap))
    kept: list[tuple[int, Swap]] = []
    for word, own in words.items():
        size = min(len(own), len(words.get(opposite(word), [])))
        kept += [own[at] for at in sorted(rng.permutation(len(own))[:size])]
    return kept
