"""Writes a document: an outline in sentences, and the place of each value."""

from typing import NamedTuple

import numpy as np

from .draws import Draws
from .links import FACT_REFERENCES, LINKS, SECTION_REFERENCES
from .outline import Outline, Place, outline
from .phrases import OPENERS, PHRASES
from .policy import Fact, Mention, Paragraph, Policy
from .sections import FILLERS
from .size import Size
from .values import write

BREAK = "\n\n"
"""Separates two paragraphs."""


class _Sentence(NamedTuple):
    """A sentence and, if it mentions a fact, (fact, start, stop, phrase, second)."""

    text: str
    mention: tuple[int, int, int, int, bool] | None = None


def write_policy(rng: np.random.Generator, size: Size) -> Policy:
    """Draws a plan and writes it.

    Random: the plan (`outline`), the wording of every sentence, and the order of
    sentences in a paragraph, except that hand-overs keep their order.
    """
    draws = Draws(rng)
    plan = outline(draws, size)
    wordings = _wordings(draws, plan, size)
    text, mentions, paragraphs = "", list[Mention](), list[Paragraph]()
    for index, place in enumerate(plan.places):
        section = plan.sections[place.section]
        start = len(text)
        if draws.chance(size.titled, "order"):
            text += _capital(section.title) + ". "
        for sentence in _sentences(draws, plan, place, wordings, size):
            if sentence.mention:
                fact, first, last, phrase, second = sentence.mention
                at = (len(text) + first, len(text) + last, index, place.section)
                mentions.append(Mention(fact, *at, section.kind, phrase, second))
            text += sentence.text + " "
        giver, receiver = place.links[0][0], place.links[-1][1]
        paragraphs.append(
            Paragraph(start, len(text) - 1, place.section, giver, receiver)
        )
        text = text[:-1] + BREAK
    return Policy(
        text.removesuffix(BREAK),
        plan.domain.name,
        plan.facts,
        tuple(mentions),
        tuple(paragraphs),
        tuple(section.title for section in plan.sections),
        {**draws.bits},
    )


def _wordings(draws: Draws, plan: Outline, size: Size) -> list[list[int]]:
    """For each fact, a different phrase for each of its mentions."""
    counts = [
        sum(i in place.facts for place in plan.places) for i in range(len(plan.facts))
    ]
    return [draws.sample(range(size.wordings), count, "templates") for count in counts]


def _sentences(
    draws: Draws, plan: Outline, place: Place, wordings: list[list[int]], size: Size
) -> list[_Sentence]:
    """A paragraph's sentences in order."""
    sentences = [
        _mention(draws, plan.facts[fact], fact, wordings[fact].pop(), size)
        for fact in place.facts
    ]
    fillers = draws.between(size.fewest_fillers, size.most_fillers, "order")
    kind = plan.sections[place.section].kind
    for filler in draws.subset(FILLERS[kind], fillers, "templates"):
        domain = plan.domain
        words = {
            "people": draws.pick(domain.people, "words"),
            "clients": draws.pick(domain.clients, "words"),
            "sites": draws.pick(domain.sites, "words"),
            "system": draws.pick(domain.systems, "words"),
        }
        sentences.append(_plain(draws, filler.format(**words), size))
    if isinstance(place.reference, str):
        line = draws.pick(SECTION_REFERENCES, "templates")
        sentences.append(_plain(draws, line.format(t=place.reference), size))
    elif place.reference:
        line = draws.pick(FACT_REFERENCES, "templates")
        noun, subject = place.reference
        sentences.append(_plain(draws, line.format(n=noun, s=subject), size))
    sentences = draws.sample(sentences, len(sentences), "order")
    total = len(sentences) + len(place.links)
    slots = draws.subset(range(total), len(place.links), "order")
    for at, (x, y, w) in zip(slots, place.links, strict=True):
        link = draws.pick(LINKS[: size.wordings], "templates").format(x=x, y=y, w=w)
        sentences.insert(at, _plain(draws, link, size))
    return sentences


def _mention(
    draws: Draws, fact: Fact, index: int, number: int, size: Size
) -> _Sentence:
    phrase = PHRASES[fact.kind][number]
    second = False
    if phrase.poles:
        words = phrase.poles[fact.value == "no"]
    else:
        second = draws.chance(size.second_forms, "templates")
        words = write(fact.kind, fact.value, second=second)
    before, after = phrase.text.replace("{s}", fact.subject).split("{v}")
    opener = _opener(draws, size)
    start = len(opener) + len(before)
    text = _capital(f"{opener}{before}{words}{after}.")
    return _Sentence(text, (index, start, start + len(words), number, second))


def _plain(draws: Draws, words: str, size: Size) -> _Sentence:
    return _Sentence(_capital(f"{_opener(draws, size)}{words}."))


def _opener(draws: Draws, size: Size) -> str:
    if not draws.chance(size.openers, "templates"):
        return ""
    return draws.pick(OPENERS, "templates") + " "


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
