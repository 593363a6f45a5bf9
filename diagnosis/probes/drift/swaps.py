"""Places where a text restates a value, and the false value to put there."""

from collections.abc import Sequence
from typing import NamedTuple

from ..choices.items import Item
from ..choices.paragraphs import beginning, ending, sentences, word_count

BANDS = (64, 256)
"""Limits in words between kinds, by distance to the nearest earlier mention."""

MOST_AFTER = 24
"""Most words of a sentence from the value on."""


class Sentence(NamedTuple):
    """A sentence `[start, stop)` of a text.

    Attributes:
      start: its first character that is not whitespace.
      stop: one past its last character.
      words: number of words before it.
    """

    start: int
    stop: int
    words: int


def sentences_of(text: str) -> list[Sentence]:
    """The sentences of a text with their places."""
    located: list[Sentence] = []
    at = words = 0
    for piece in sentences(text):
        start = at + len(piece) - len(piece.lstrip())
        at += len(piece)
        located.append(Sentence(start, at, words))
        words += word_count(piece)
    return located


class Swap(NamedTuple):
    """A place where a value is restated, and the false value to put there.

    Attributes:
      kind: "number", "entity" or "polarity".
      start: first character of the value.
      true: its words.
      false: the words of the false value.
      earlier: first character of the nearest earlier mention of the true value.
      evidence: the first of the sentences that tell the true value or state the false
        one.
      sentence: the sentence that restates the value.
    """

    kind: str
    start: int
    true: str
    false: str
    earlier: int
    evidence: Sentence
    sentence: Sentence

    def item(self, document: int, text: str, *, most_words: int) -> Item:
        """The original sentence against the same with the false value.

        Args:
          document: index of the text.
          text: the document.
          most_words: in `before`, which is cut to whole sentences.

        Returns:
          An item whose texts part where `after` begins, of a kind such as "number, < 64
          words", which is how far back the nearest earlier mention is. Its `local` is
          the sentence up to the value.
        """
        both = shared(self.true, self.false)
        start, true, false = self.start + both, self.true[both:], self.false[both:]
        context = text[:start].rstrip()
        blanks = text[len(context) : start]
        rest = text[self.start + len(self.true) : self.sentence.stop]
        before = ending(context, most_words)

        truth, lie = (
            (before, beginning(blanks + value + rest, MOST_AFTER))
            for value in (true, false)
        )
        local, needed = (
            min(len(before), max(0, len(context) - sentence.start))
            for sentence in (self.sentence, self.evidence)
        )
        kind = f"{self.kind}, {band(word_count(text[self.earlier : self.start]))}"
        return Item(document, kind, truth, lie, local, needed)


def shared(true: str, false: str) -> int:
    """Characters with which both values begin: "is" and "is not" part after the "is".

    What is before an item holds them, and they count among its words.
    """
    for left, right in ((true, false), (false, true)):
        if right.startswith(f"{left} "):
            return len(left)
    return 0


def band(words: int) -> str:
    """The name of a distance in words, for the kind of an item."""
    for band in BANDS:
        if words < band:
            return f"< {band} words"
    return f"≥ {BANDS[-1]} words"


def sentence_at(sentences: Sequence[Sentence], at: int) -> Sentence:
    """The sentence that contains a character."""
    return next(
        sentence for sentence in sentences if sentence.start <= at < sentence.stop
    )
