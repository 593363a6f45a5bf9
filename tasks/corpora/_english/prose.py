"""Which paragraphs are English prose.

The limits were set by reading what they keep and what they drop.
"""

import re

FEWEST_WORDS = 15
LETTERS = 0.88
"""Smallest share of a paragraph's characters that are letters and spaces."""

FUNCTION_WORDS = 0.25
"""Smallest share of its words that are function words."""

FEWEST_PARAGRAPHS = 3
FEWEST_DOCUMENT_WORDS = 100

_FUNCTION = frozenset(
    "a about after all also an and any are as at be because been before being between "
    "both but by can could did do does each either every for from had has have he her "
    "here him his how i if in into is it its just may me might more most must my no "
    "nor not now of on one only or other our out over own same shall she should since "
    "so some such than that the their them then there these they this those through to "
    "too under until up upon us was we were what when where whether which while who "
    "whom whose why will with within without would you your".split()
)
_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")
_END = re.compile(r"[.!?…][\"'”’)\]]*( ?\([^()]*\)\.?| ?\[[^\[\]]*\]\.?)?$")
_CODE = re.compile(r"[{}<>|=\\^`]|::|;;|https?:|www\.|&\w+;|\$\w|\w@\w")
_START = re.compile(r"[\"'“‘(\[]*\w")
_NO_LETTER = re.compile(r"[\d_]|[^\w ]")
_BOILERPLATE = re.compile(
    r"all rights reserved|permission is (hereby )?granted|without (any )?warranty|"
    r"without even the implied warranty|copyright \(?[c©\d]|redistribut\w+ and|"
    r"under the terms of the|free documentation license|creative commons|"
    r"(was|is) (last )?(generated|updated|modified) (on|by|from)|"
    r"javascript|your browser|new in version|changed in version|"
    r"deprecated (since|in) version|(added|removed|introduced) in (version|release)|"
    r"pull request|table of contents|click here|see the \w+ section of the manual",
    re.IGNORECASE,
)


def squeezed(text: str) -> str:
    """The text with every run of white space as one space."""
    return " ".join(text.split())


def is_prose(text: str) -> bool:
    """Whether a paragraph of a manual is prose, and neither code nor boilerplate."""
    if text.count(" ") < FEWEST_WORDS - 1 or not _END.search(text):
        return False
    if not _START.match(text) or _CODE.search(text):
        return False
    if len(_NO_LETTER.findall(text)) > (1 - LETTERS) * len(text):
        return False
    words = [word.lower() for word in _WORD.findall(text)]
    if len(words) < FEWEST_WORDS:
        return False
    function = sum(word in _FUNCTION for word in words)
    return function >= FUNCTION_WORDS * len(words) and not _BOILERPLATE.search(text)


def is_document(paragraphs: list[str]) -> bool:
    """Whether paragraphs are enough for a document."""
    words = sum(len(text.split()) for text in paragraphs)
    return len(paragraphs) >= FEWEST_PARAGRAPHS and words >= FEWEST_DOCUMENT_WORDS


def split_sentences(text: str, *, words: int) -> list[str]:
    """Cuts a text without paragraphs after the sentence that reaches so many words."""
    paragraphs, current = [], []
    for sentence in re.split(r"(?<=[.!?])\s+(?=[\"'“(]?[A-Z])", text):
        current.append(sentence)
        if sum(len(part.split()) for part in current) >= words:
            paragraphs.append(" ".join(current))
            current = []
    if current:
        paragraphs.append(" ".join(current))
    return paragraphs
