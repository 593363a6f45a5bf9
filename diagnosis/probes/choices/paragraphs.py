"""Splits a text into sentences and paragraphs without losing a character.

A piece includes the whitespace before it, so that joining the pieces gives the text.
"""

import itertools
import re
from typing import NamedTuple

FEWEST = 6
"""Least paragraphs; a text with fewer is split into groups of sentences instead."""

# Only where a sentence may end: most of the blanks of a text are between two words.
_ENDS = re.compile(
    r"[.!?:][\"'”’)\]]*(?P<blank>\s+)(?=[\"'“‘(\[`*]*(?P<next>\S))"
    r"|(?<!\s)(?P<lines>[^\S\n]*\n[^\S\n]*\n\s*)(?=\S)"
)
_BREAK = re.compile(r"\s*\n\s*\n\s*(?=\S)")
_WORD = re.compile(r"\s*\S+")


def sentences(text: str, *, shortest: int = 4) -> list[str]:
    """The sentences of a text, each with the whitespace before it.

    A sentence ends at a full stop, question mark, exclamation mark or colon, with any
    closing quotes and brackets, unless a lower-case letter follows; and at an empty
    line. A piece of fewer than `shortest` words, such as a title or an abbreviation,
    is joined to the next one in its paragraph.
    """
    pieces: list[str] = []
    start = 0
    for match in _ENDS.finditer(text):
        lines = match["lines"] is not None
        at = match.start("lines" if lines else "blank")
        paragraph = lines or match["blank"].count("\n") > 1
        if paragraph or (
            not match["next"].islower() and len(text[start:at].split()) >= shortest
        ):
            pieces.append(text[start:at])
            start = at
    return _without_empty([*pieces, text[start:]])


def paragraphs(
    text: str, *, fewest: int = FEWEST, sentences_each: int = 2
) -> list[str]:
    """The paragraphs of a text, each with the whitespace before it.

    They are separated by empty lines. If there are fewer than `fewest`, the pieces are
    groups of `sentences_each` sentences instead, regardless of paragraphs.
    """
    starts = [0, *(match.start() for match in _BREAK.finditer(text)), len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(starts)]
    pieces = _without_empty(pieces)
    if len(pieces) >= fewest:
        return pieces
    parts = sentences(text)
    return [
        "".join(parts[at : at + sentences_each])
        for at in range(0, len(parts), sentences_each)
    ]


class Inner(NamedTuple):
    """A document's sentences except the first and last, which reveal their place.

    Attributes:
      sentences: each with the whitespace before it.
      left: number of words from each sentence on.
    """

    sentences: list[str]
    left: list[int]

    def places(self, words: int) -> int:
        """Number of sentences from which on there are at least so many words."""
        return sum(left >= words for left in self.left)

    def window(self, start: int, most_words: int) -> list[str]:
        """Whole sentences from one on, with at most so many words."""
        ends = [*self.left[start + 1 :], 0]
        fits = sum(self.left[start] - end <= most_words for end in ends)
        return self.sentences[start : start + fits]


def inner(text: str) -> Inner:
    """The inner sentences of a text."""
    inside = sentences(text)[1:-1]
    backwards = itertools.accumulate(map(word_count, reversed(inside)))
    return Inner(inside, list(backwards)[::-1])


def word_count(text: str) -> int:
    """Number of words of a text, separated by whitespace."""
    return len(text.split())


def beginning(text: str, most_words: int) -> str:
    """The first words of a text, with the whitespace before each."""
    words = _WORD.findall(text)
    return text if len(words) <= most_words else "".join(words[:most_words])


def ending(text: str, most_words: int) -> str:
    """The last whole sentences of a text, with at most so many words.

    If the last sentence alone has more, its last words.
    """
    kept, words = "", 0
    for sentence in reversed(sentences(text)):
        words += word_count(sentence)
        if words > most_words:
            break
        kept = sentence + kept
    if not kept:
        kept = "".join(_WORD.findall(text.rstrip())[-most_words:])
    return kept if len(kept) == len(text) else kept.lstrip()


def _without_empty(pieces: list[str]) -> list[str]:
    """Joins pieces of whitespace to the piece before them, or the first to the next."""
    whole: list[str] = []
    for piece in pieces:
        if whole and (not piece.strip() or not whole[-1].strip()):
            whole[-1] += piece
        else:
            whole.append(piece)
    return [piece for piece in whole if piece]
