"""How much of everything a document has; refuses impossible settings."""

from typing import NamedTuple

from ....objectives.errors import UsageError, nearest, require_share
from .links import DEPARTMENTS, LINKS
from .phrases import PHRASES
from .policy import KINDS
from .sections import KINDS as SECTIONS
from .values import MOST_NUMBERS

WORDINGS = min(len(LINKS), *map(len, PHRASES.values()))
"""Number of wordings of a kind of fact, and of hand-overs."""


class Size(NamedTuple):
    """Settings of a document; documented in `Policies`, with defaults."""

    fewest_sections: int
    most_sections: int
    fewest_paragraphs: int
    most_paragraphs: int
    fewest_facts: int
    most_facts: int
    fewest_mentions: int
    most_mentions: int
    fewest_links: int
    most_links: int
    fewest_fillers: int
    most_fillers: int
    numbers: int
    departments: int
    kinds: tuple[str, ...]
    titled: float
    openers: float
    references: float
    second_forms: float
    wordings: int


def check(size: Size, *, subjects: int) -> None:
    """Raises ValueError for settings that no document can meet; names the fix.

    Args:
      size: the settings.
      subjects: number of subjects in a domain for each kind of fact.
    """
    for kind in size.kinds:
        if kind not in KINDS:
            raise UsageError(
                f"policies.kinds: no kind of fact {kind!r}; {nearest(kind, KINDS)}"
            )
    if not size.kinds or len(set(size.kinds)) < len(size.kinds):
        raise UsageError(
            f"policies.kinds is {size.kinds}; name each kind once, and at least one."
        )
    for name in ("titled", "openers", "references", "second_forms"):
        require_share(f"policies.{name}", getattr(size, name))
    _range(size, "sections", 1, len(SECTIONS))
    _range(size, "paragraphs", 1, 100)
    _range(size, "facts", 1, subjects * len(size.kinds))
    _between("wordings", size.wordings, 1, WORDINGS)
    _range(size, "mentions", 1, size.wordings)
    _range(size, "links", 1, 100)
    _range(size, "fillers", 0, 100)
    _between("numbers", size.numbers, 2, MOST_NUMBERS)
    _between("departments", size.departments, 4, len(DEPARTMENTS))
    paragraphs = size.fewest_sections * size.fewest_paragraphs
    if paragraphs < size.most_mentions:
        raise UsageError(
            f"a document may have {paragraphs} paragraphs, and a fact "
            f"{size.most_mentions} mentions, each in its own paragraph: raise "
            "policies.fewest_sections or policies.fewest_paragraphs, or lower "
            "policies.most_mentions."
        )


def _range(size: Size, name: str, least: int, greatest: int) -> None:
    fewest, most = getattr(size, f"fewest_{name}"), getattr(size, f"most_{name}")
    _between(f"fewest_{name}", fewest, least, greatest)
    _between(f"most_{name}", most, least, greatest)
    if fewest > most:
        raise UsageError(
            f"policies.fewest_{name} is {fewest} and policies.most_{name} {most}: "
            f"swap them, or raise policies.most_{name}."
        )


def _between(name: str, value: int, least: int, greatest: int) -> None:
    if not least <= value <= greatest:
        raise UsageError(
            f"policies.{name} is {value}; set it within [{least}, {greatest}]."
        )
