"""Reads from text which department hands the file to which."""

import functools
import re
from typing import NamedTuple

from .links import DEPARTMENTS, LINKS


class Handover(NamedTuple):
    """Who gives the file, who gets it, who is told, and where the sentence starts."""

    giver: str
    receiver: str
    told: str
    start: int


def handovers(text: str) -> list[Handover]:
    """Every hand-over that the text states, in order."""
    found = [
        Handover(match["x"], match["y"], match["w"], match.start())
        for expression in _expressions()
        for match in expression.finditer(text)
    ]
    return sorted(found, key=lambda handover: handover.start)


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
