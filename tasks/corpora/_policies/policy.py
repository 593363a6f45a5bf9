"""A policy: its text, its facts, and where each fact is mentioned."""

from typing import NamedTuple


class Fact(NamedTuple):
    """One fact that a document fixes.

    Attributes:
      kind: one of `KINDS`.
      subject: what it is about: `call recordings`. It names the fact: a document has
        one fact about it.
      value: `17 months`, `EUR 17,000`, `Head of Conduct`, or `yes` or `no`.
    """

    kind: str
    subject: str
    value: str


class Mention(NamedTuple):
    """Where a document states the value of a fact.

    Attributes:
      fact: its index in the document's facts.
      start: first character of the value in the document's text.
      stop: one past its last character.
      paragraph: index of the paragraph.
      section: index of the section.
      section_kind: kind of that section, as `retention`.
      phrase: index of the wording among the phrases of the fact's kind.
      second: whether the value is in its second form, as a number in words.
    """

    fact: int
    start: int
    stop: int
    paragraph: int
    section: int
    section_kind: str
    phrase: int
    second: bool


class Paragraph(NamedTuple):
    """A paragraph `[start, stop)` of the text, and its place in the discourse.

    Attributes:
      start: its first character.
      stop: one past its last character.
      section: index of its section.
      giver: the department that the file comes from.
      receiver: the department that it goes to: the next paragraph's giver.
    """

    start: int
    stop: int
    section: int
    giver: str
    receiver: str


class Policy(NamedTuple):
    """A document with its contents.

    Attributes:
      text: the document; paragraphs are separated by an empty line.
      domain: name of its domain.
      facts: its facts; no two have the same subject.
      mentions: their mentions, in the order of the text.
      paragraphs: its paragraphs in order.
      titles: of the sections.
      bits: information in the choices, by account of `Draws`.
    """

    text: str
    domain: str
    facts: tuple[Fact, ...]
    mentions: tuple[Mention, ...]
    paragraphs: tuple[Paragraph, ...]
    titles: tuple[str, ...]
    bits: dict[str, float]


KINDS = (
    "retention",
    "deadline",
    "amount",
    "interval",
    "approval",
    "permission",
    "requirement",
)
"""Kinds of facts: how long records are kept; how soon an event is reported; what may be
spent; how often a check is repeated; who approves; what is permitted; what is required.
"""
