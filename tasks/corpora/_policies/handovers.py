"""Reads from text which department passes the file to which."""

import functools
import re
from typing import NamedTuple

from .links import DEPARTMENTS, LINKS


class Handover(NamedTuple):
    """Who gives the file, who gets it, who is informed, and the start of the link."""

    giver: str
    receiver: str
    informed: str
    start: int


_SENTENCE = re.compile(r"[^.\n]+")
_WORD = re.compile(r"\w+")
_NAMES = frozenset(DEPARTMENTS)


def handovers(text: str) -> list[Handover]:
    """Every hand-over that the text states, in order."""
    # Most sentences name no department; then no expression need be tried.
    sentences = (
        (sentence.start(), sentence[0])
        for sentence in _SENTENCE.finditer(text)
        if not _NAMES.isdisjoint(_WORD.findall(sentence[0]))
    )
    matches = [
        Handover(match["x"], match["y"], match["w"], start + match.start())
        for start, sentence in sentences
        for expression in _expressions()
        for match in expression.finditer(sentence)
    ]
    return sorted(matches, key=lambda handover: handover.start)


@functools.cache
def _expressions() -> list[re.Pattern[str]]:
    names = "|".join(DEPARTMENTS)
    expressions: list[re.Pattern[str]] = []
    for link in LINKS:
        text = re.escape(link)
        for slot in "xyw":
            text = text.replace(rf"\{{{slot}\}}", f"(?P<{slot}>{names})")
        expressions.append(re.compile(rf"\b(?i:{text})\b"))
    return expressions
