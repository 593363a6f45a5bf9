"""Blanks in plain text: numbers and names that are stated again only afterwards."""

import itertools
import re
from collections import Counter, defaultdict

import numpy as np

from ..choices.paragraphs import word_count
from ..drift.stated_values import Stated, content, stated_values
from ..drift.swaps import Sentence, sentences_of
from .blanks import Blank

_WORD = re.compile(r"\w+")

_TRIES = 200
"""Most pairs of values to try in a document."""


def text_blanks(
    text: str,
    rare: frozenset[str],
    rng: np.random.Generator,
    *,
    each: int,
    most_right: int,
) -> list[Blank]:
    """Mentions of a number or name whose value only later mentions tell.

    Text is shown from behind the last sentence with either value, up to a sentence by
    which both have been stated equally often. A blank is used if its sentence shares
    more rare words with a later sentence that states the true value than with any that
    states the other. A value that is mostly before a full
    stop may be a title, as Mr, and is not used.

    Args:
      text: the document.
      rare: words that tell a topic (`stated_values.rare_words`).
      rng: draws pairs of values.
      each: most blanks, or one more.
      most_right: words after a blank.
    """
    sentences = sentences_of(text)
    about = [content(text[s.start : s.stop]) & rare for s in sentences]
    places: dict[str, list[Stated]] = defaultdict(list)
    for stated in stated_values(text, sentences):
        if stated.kind != "polarity":
            places[stated.value].append(stated)
    shapes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for value, stated in places.items():
        dots = sum(text.startswith(".", s.start + len(value)) for s in stated)
        if len(stated) > 1 and 2 * dots <= len(stated):
            shapes[stated[0].kind, stated[0].shape].append(value)
    pairs = [
        pair for values in shapes.values() for pair in itertools.combinations(values, 2)
    ]
    document = (text, sentences, about, places)
    blanks: dict[int, Blank] = {}
    for at in rng.permutation(len(pairs))[:_TRIES]:
        for true, false in (pairs[at], pairs[at][::-1]):
            if blank := _blank(document, true, false, most_right):
                blanks.setdefault(blank.start, blank)
        if len(blanks) >= each:
            break
    return [blanks[start] for start in sorted(blanks)]


_Document = tuple[str, list[Sentence], list[frozenset[str]], dict[str, list[Stated]]]
"""A text, its sentences, the rare words of each, and the mentions of each value."""


def _blank(document: _Document, true: str, false: str, most_right: int) -> Blank | None:
    """The first mention of a value that only the text after it can tell."""
    _, _, _, places = document
    both = sorted(places[true] + places[false], key=lambda stated: stated.start)
    for index, mention in enumerate(both[:-1]):
        if mention.value != true:
            continue
        found = _told(document, both, index, false, most_right)
        if found:
            return found
    return None


def _told(
    document: _Document, both: list[Stated], index: int, false: str, most_right: int
) -> Blank | None:
    """The blank of one mention; None if the text after it does not tell its value."""
    text, sentences, about, _ = document
    mention, later = both[index], both[index + 1 :]
    own, stop = mention.sentence, mention.start + len(mention.value)
    if [m.sentence for m in both].count(own) > 1:
        return None
    topic = about[own] - content(f"{mention.value} {false}")
    counts: Counter[bool] = Counter()
    shared: dict[bool, int] = {True: 0, False: 0}
    for sentence, group in itertools.groupby(later, key=lambda m: m.sentence):
        right = sentences[sentence].stop
        if word_count(text[stop:right]) > most_right:
            return None
        for again in group:
            is_true = again.value == mention.value
            counts[is_true] += 1
            shared[is_true] = max(shared[is_true], len(topic & about[sentence]))
        told = shared[True] > shared[False]
        if counts[True] == counts[False] and told:
            left = sentences[both[index - 1].sentence].stop if index else 0
            if not _open(
                text[left : mention.start], text[stop:right], mention.value, false
            ):
                return None
            first = later[0].value == mention.value
            evidence = next(m.start for m in later if m.value == mention.value)
            value, kind = mention.value, mention.kind
            return Blank(
                kind, mention.start, value, false, left, right, evidence, first
            )
    return None


def _open(left: str, right: str, true: str, false: str) -> bool:
    """Whether left and right leave open which value it is, by the words they hold.

    A part of a value may stand on the left, as "Darcy" of "Mr Darcy", or oftener on the
    right than the other value does.
    """
    before, after = (Counter(_WORD.findall(text)) for text in (left, right))
    parts = [_WORD.findall(value) for value in (true, false)]
    counts = [sum(after[part] for part in value) for value in parts]
    return counts[0] == counts[1] and not any(before[p] for p in parts[0] + parts[1])
