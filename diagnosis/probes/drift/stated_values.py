"""Finds values in a text: numbers, names, and words that affirm or deny."""

import re
from collections import Counter
from collections.abc import Container, Sequence
from typing import NamedTuple

from ..choices.paragraphs import sentences

POLES = (
    ("is", "is not"),
    ("are", "are not"),
    ("was", "was not"),
    ("were", "were not"),
    ("will", "will not"),
    ("must", "must not"),
    ("may", "may not"),
    ("can", "cannot"),
    ("should", "should not"),
    ("shall", "shall not"),
    ("could", "could not"),
    ("would", "would not"),
    ("allowed", "forbidden"),
    ("permitted", "prohibited"),
    ("required", "optional"),
    ("enabled", "disabled"),
    ("supported", "unsupported"),
    ("valid", "invalid"),
    ("true", "false"),
    ("always", "never"),
    ("with", "without"),
)
"""Words and what denies them, in English."""

_NUMBER = re.compile(r"(?<![\w.,/:-])\d+(?:[.,]\d+)*(?![\w/:-]|[.,]\d)")
_NAME = re.compile(r"(?<=[\w,;] )[A-Z]\w+(?: (?:of )?[A-Z]\w+)*(?!\w)")
_POLE = re.compile(
    rf"(?<![\w-])(?:{'|'.join(sorted(sum(POLES, ()), key=len, reverse=True))})(?![\w-])"
)
_OPPOSITES = dict(POLES) | {no: yes for yes, no in POLES}
_CONTENT = re.compile(r"[^\W\d_]{4,}")


class Sentence(NamedTuple):
    """A sentence `[start, stop)` of a text.

    Attributes:
      start: its first character that is no blank.
      stop: one past its last.
      words: how many the text has before it.
      about: its words that say what it is about.
    """

    start: int
    stop: int
    words: int
    about: frozenset[str]


class Stated(NamedTuple):
    """A value in a text.

    Attributes:
      kind: "number", "entity" or "polarity".
      shape: values of one kind and shape may stand for one another.
      value: its words.
      start: its first character in the text.
      sentence: index of its sentence.
    """

    kind: str
    shape: str
    value: str
    start: int
    sentence: int


def sentences_of(text: str, rare: Container[str]) -> list[Sentence]:
    """The sentences of a text with their places.

    Args:
      text: the text.
      rare: which words say what a sentence is about.
    """
    found: list[Sentence] = []
    at = words = 0
    for piece in sentences(text):
        start = at + len(piece) - len(piece.lstrip())
        at += len(piece)
        about = frozenset(word for word in content(piece) if word in rare)
        found.append(Sentence(start, at, words, about))
        words += len(piece.split())
    return found


def stated_values(text: str, found: list[Sentence]) -> list[Stated]:
    """The values in a text, in order.

    A number has digits and is a word of its own; its shape is where its digits are, so
    that 17 may stand for 21 and 17,000 for 21,000. A name is capitalised amid a
    sentence somewhere in the text, which has none of its words in lower case; its
    shape is how many words it has and whether it is all capitals. What affirms or
    denies is one of `POLES`, whose pair is its shape.
    """
    values: list[Stated] = []
    names = _names(text)
    for number, sentence in enumerate(found):
        own = text[sentence.start : sentence.stop]
        for match in _NUMBER.finditer(own):
            shape = re.sub(r"\d", "0", match[0])
            at = sentence.start + match.start()
            values.append(Stated("number", shape, match[0], at, number))
        for match in _POLE.finditer(own):
            shape = "/".join(sorted((match[0], opposite(match[0]))))
            at = sentence.start + match.start()
            values.append(Stated("polarity", shape, match[0], at, number))
    if names:
        any_name = rf"(?<![\w.])(?:{'|'.join(map(re.escape, names))})(?!\w|\.\w)"
        for number, sentence in enumerate(found):
            for match in re.finditer(any_name, text[sentence.start : sentence.stop]):
                shape = f"{len(match[0].split())} words, {match[0].isupper()}"
                at = sentence.start + match.start()
                values.append(Stated("entity", shape, match[0], at, number))
    return sorted(values, key=lambda value: value.start)


def _names(text: str) -> list[str]:
    """The names in a text, longer ones first."""
    lower = set(re.findall(r"(?<!\w)[a-z]+(?!\w)", text))
    found = {
        name
        for name in _NAME.findall(text)
        if not lower & (set(name.lower().split()) - {"of"})
    }
    return sorted(found, key=lambda name: (-len(name), name))


def content(text: str) -> frozenset[str]:
    """The words of four letters or more in a text, in lower case."""
    return frozenset(_CONTENT.findall(text.lower()))


def rare_words(texts: Sequence[str], *, share: float = 0.1) -> frozenset[str]:
    """Words of content that at most that share of the texts have, or a single one."""
    counts = Counter(word for text in texts for word in content(text))
    most = max(1.0, share * len(texts))
    return frozenset(word for word, count in counts.items() if count <= most)


def opposite(pole: str) -> str:
    """What denies the word, or what it denies."""
    return _OPPOSITES[pole]
