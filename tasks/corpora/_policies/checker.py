"""Parses facts back from text alone, and finds where a text contradicts itself.

A sentence states a fact if a phrase of `PHRASES` occurs in it with a known subject
and any value of its kind. Everything else is skipped, so text from a model is read as
far as possible, and the number of mentions says how far.
"""

import functools
import re
from collections.abc import Iterable
from itertools import combinations
from typing import NamedTuple

from .domains import subjects
from .phrases import PHRASES, Phrase
from .values import pattern, read

_SENTENCE = re.compile(r"[^.\n]+")


class ParsedMention(NamedTuple):
    """A fact that a text states.

    Attributes:
      kind: kind of fact.
      subject: what the fact is about.
      value: its value, in the form of `Fact.value`.
      start: first character of the value in the text.
      stop: one past its last character.
    """

    kind: str
    subject: str
    value: str
    start: int
    stop: int


class Restatement(NamedTuple):
    """Two mentions of one fact in the order of the text."""

    earlier: ParsedMention
    later: ParsedMention


def mentions(text: str) -> list[ParsedMention]:
    """Every readable mention of a fact in the text, in order."""
    parsed: list[ParsedMention] = []
    for sentence in _SENTENCE.finditer(text):
        kinds = {
            _kinds()[match[0].lower()] for match in _subjects().finditer(sentence[0])
        }
        for kind in sorted(kinds):
            parsed += _parse_kind(kind, sentence[0], sentence.start())
    return sorted(set(parsed), key=lambda mention: mention.start)


def restatements(text: str) -> list[Restatement]:
    """All pairs of mentions of one fact: the chances of a contradiction."""
    facts: dict[tuple[str, str], list[ParsedMention]] = {}
    for mention in mentions(text):
        facts.setdefault((mention.kind, mention.subject), []).append(mention)
    return [
        Restatement(*pair)
        for fact_mentions in facts.values()
        for pair in combinations(fact_mentions, 2)
    ]


def contradictions(text: str) -> list[Restatement]:
    """The pairs of mentions of one fact whose values differ.

    Each names the fact, both values and both places; `len(contradictions(text))` over
    `len(restatements(text))` is the contradiction rate.
    """
    return [
        pair for pair in restatements(text) if pair.earlier.value != pair.later.value
    ]


def _parse_kind(kind: str, sentence: str, offset: int) -> list[ParsedMention]:
    parsed: list[ParsedMention] = []
    for phrase, expression in _expressions()[kind]:
        for match in expression.finditer(sentence):
            words = match["value"]
            if phrase.poles:
                value = "yes" if words.lower() == phrase.poles[0] else "no"
            else:
                value = read(kind, words)
            start = offset + match.start("value")
            subject = match["subject"].lower()
            parsed.append(
                ParsedMention(kind, subject, value, start, start + len(words))
            )
    return parsed


@functools.cache
def _kinds() -> dict[str, str]:
    """The kind of fact of each subject in lower case."""
    return {name.lower(): kind for kind, names in subjects().items() for name in names}


@functools.cache
def _subjects() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{_any(_kinds())})(?!\w)", re.IGNORECASE)


@functools.cache
def _expressions() -> dict[str, list[tuple[Phrase, re.Pattern[str]]]]:
    """The phrases of each kind and their regular expressions."""
    return {
        kind: [(phrase, _expression(kind, phrase)) for phrase in phrases]
        for kind, phrases in PHRASES.items()
    }


def _expression(kind: str, phrase: Phrase) -> re.Pattern[str]:
    value = _any(phrase.poles) if phrase.poles else pattern(kind)
    text = re.escape(phrase.text)
    text = text.replace(r"\{s\}", f"(?P<subject>{_any(subjects()[kind])})")
    text = text.replace(r"\{v\}", f"(?P<value>{value})")
    return re.compile(rf"(?<![\w,-]){text}(?!\w)", re.IGNORECASE)


def _any(names: Iterable[str]) -> str:
    """An expression for any of the names, the longest first."""
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
