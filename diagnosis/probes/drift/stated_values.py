"""Finds values in a text: numbers, names, and affirming or denying words."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .swaps import Sentence

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
"""English words and their negations or opposites."""

_NUMBER = re.compile(r"(?<![\w.,/:-])\d+(?:[.,]\d+)*(?![\w/:-]|[.,]\d)")
_NAME = re.compile(r"(?<=[\w,;] )[A-Z]\w+(?: (?:of )?[A-Z]\w+)*(?!\w)")
_POLE = re.compile(
    rf"(?<![\w-])(?:{'|'.join(sorted(sum(POLES, ()), key=len, reverse=True))})(?![\w-])"
)
_OPPOSITES = dict(POLES) | {no: yes for yes, no in POLES}
_CONTENT = re.compile(r"[^\W\d_]{4,}")


class Stated(NamedTuple):
    """A value in a text.

    Attributes:
      kind: "number", "entity" or "polarity".
      shape: values of one kind and shape are interchangeable.
      value: its words.
      start: its first character in the text.
      sentence: index of its sentence.
    """

    kind: str
    shape: str
    value: str
    start: int
    sentence: int


def stated_values(text: str, sentences: Sequence[Sentence]) -> list[Stated]:
    """The values in a text, in order.

    A number is a separate word of digits; its shape is the pattern of its digits, so
    that 17 may replace 21, and 17,000 may replace 21,000. A name is capitalised inside
    a sentence somewhere in the text, and none of its words occurs in lower case; its
    shape is its number of words and whether it is all capitals. Polarity is a word of
    `POLES`, whose pair is its shape.
    """
    patterns: list[tuple[str, re.Pattern[str], Callable[[str], str]]] = [
        ("number", _NUMBER, lambda value: re.sub(r"\d", "0", value)),
        ("polarity", _POLE, lambda value: "/".join(sorted((value, opposite(value))))),
    ]
    if names := _names(text):
        any_name = rf"(?<![\w.])(?:{'|'.join(map(re.escape, names))})(?!\w|\.\w)"
        patterns.append(
            (
                "entity",
                re.compile(any_name),
                lambda value: f"{len(value.split())} words, {value.isupper()}",
            )
        )
    values = [
        Stated(kind, shape(match[0]), match[0], sentence.start + match.start(), number)
        for kind, pattern, shape in patterns
        for number, sentence in enumerate(sentences)
        for match in pattern.finditer(text[sentence.start : sentence.stop])
    ]
    return sorted(values, key=lambda value: value.start)


def _names(text: str) -> list[str]:
    """The names in a text, longer ones first."""
    lower = {word for word in re.findall(r"\w+", text) if word.islower()}
    names = {
        name
        for name in _NAME.findall(text)
        if not lower & (set(name.lower().split()) - {"of"})
    }
    return sorted(names, key=lambda name: (-len(name), name))


def content(text: str) -> frozenset[str]:
    """The words of four letters or more in a text, in lower case."""
    return frozenset(_CONTENT.findall(text.lower()))


def rare_words(texts: Sequence[str], *, share: float = 0.1) -> frozenset[str]:
    """Content words in at most that share of the texts, or in a single one."""
    counts = Counter(word for text in texts for word in content(text))
    most = max(1.0, share * len(texts))
    return frozenset(word for word, count in counts.items() if count <= most)


def opposite(pole: str) -> str:
    """The opposite of a word of `POLES`."""
    return _OPPOSITES[pole]
