"""What a document says and in which order, before a word is written.

Everything that a reader could see of a paragraph alone is as likely in any place:
sections come in any order, a fact's mentions fall on any paragraphs, references occur
everywhere at one rate, and where there is nothing yet to refer to, they name something
outside the document. What order there is lies between paragraphs: who hands the file to
whom, and what was introduced before it is referred to.
"""

from typing import NamedTuple

from .domains import DOMAINS, Domain
from .draws import Draws
from .links import DEPARTMENTS, NOUNS
from .policy import Fact
from .sections import HOMES, KINDS, TITLES
from .size import Size
from .values import parts


class Section(NamedTuple):
    """A section's kind, title, and indices of its paragraphs."""

    kind: str
    title: str
    paragraphs: range


class Place(NamedTuple):
    """What one paragraph is to say.

    Attributes:
      section: index of its section.
      facts: indices of the facts that it mentions.
      links: of each hand-over, the departments that give, receive, and are told.
      reference: a section's title, or (what a fact is called, its subject), or None.
    """

    section: int
    facts: tuple[int, ...]
    links: tuple[tuple[str, str, str], ...]
    reference: str | tuple[str, str] | None


class Outline(NamedTuple):
    """A document's plan."""

    domain: Domain
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]
    places: tuple[Place, ...]


def outline(draws: Draws, size: Size) -> Outline:
    """Draws a document's plan."""
    domain = draws.pick(DOMAINS, "words")
    facts = _facts(draws, domain, size)
    sections = _sections(draws, size)
    of_paragraph = [i for i, s in enumerate(sections) for _ in s.paragraphs]
    places = _mentions(draws, facts, sections, size)
    links = _links(draws, len(of_paragraph), size)
    references = _references(draws, domain, facts, sections, places, size)
    return Outline(
        domain,
        facts,
        sections,
        tuple(map(Place, of_paragraph, places, links, references)),
    )


def _facts(draws: Draws, domain: Domain, size: Size) -> tuple[Fact, ...]:
    """Different subjects, any of the domain alike, each with a value of its own."""
    subjects = [(kind, s) for kind in size.kinds for s in domain.subjects[kind]]
    count = draws.between(size.fewest_facts, size.most_facts, "order")
    return tuple(
        Fact(kind, subject, _value(draws, kind, size))
        for kind, subject in draws.subset(subjects, count, "words")
    )


def _value(draws: Draws, kind: str, size: Size) -> str:
    drawn = [draws.pick(part, "values") for part in parts(kind, size.numbers)]
    return " ".join(drawn)


def _sections(draws: Draws, size: Size) -> tuple[Section, ...]:
    count = draws.between(size.fewest_sections, size.most_sections, "order")
    sections: list[Section] = []
    stop = 0
    for kind in draws.sample(KINDS, count, "order"):
        used = {section.title for section in sections}
        titles = [title for title in TITLES[kind] if title not in used]
        start = stop
        stop += draws.between(size.fewest_paragraphs, size.most_paragraphs, "order")
        title = draws.pick(titles, "words")
        sections.append(Section(kind, title, range(start, stop)))
    return tuple(sections)


def _mentions(
    draws: Draws, facts: tuple[Fact, ...], sections: tuple[Section, ...], size: Size
) -> list[tuple[int, ...]]:
    """Of each paragraph, its facts: a mention of each at home, the others anywhere."""
    places: list[list[int]] = [[] for s in sections for _ in s.paragraphs]
    for index, fact in enumerate(facts):
        count = draws.between(size.fewest_mentions, size.most_mentions, "order")
        home = [p for s in sections if s.kind == HOMES[fact.kind] for p in s.paragraphs]
        chosen = [draws.pick(home, "order")] if home else []
        others = [p for p in range(len(places)) if p not in chosen]
        chosen += draws.subset(others, count - len(chosen), "order")
        for paragraph in chosen:
            places[paragraph].append(index)
    return [tuple(place) for place in places]


def _links(
    draws: Draws, count: int, size: Size
) -> list[tuple[tuple[str, str, str], ...]]:
    """Of each paragraph, its steps of a walk among a few departments.

    The walk never turns straight back, and a paragraph's last step never leads to
    where the paragraph before began: in the other order, the two do not fit.
    """
    cast = draws.subset(DEPARTMENTS, size.departments, "words")
    before, began, giver = "", "", draws.pick(cast, "words")
    links: list[tuple[tuple[str, str, str], ...]] = []
    for _ in range(count):
        start, steps = giver, list[tuple[str, str, str]]()
        number = draws.between(size.fewest_links, size.most_links, "order")
        for left in reversed(range(number)):
            barred = {before, giver} | ({began} if not left else set())
            ahead = [name for name in cast if name not in barred]
            receiver = draws.pick(ahead, "words")
            told = [name for name in cast if name not in (giver, receiver)]
            steps.append((giver, receiver, draws.pick(told, "words")))
            before, giver = giver, receiver
        began = start
        links.append(tuple(steps))
    return links


def _references(
    draws: Draws,
    domain: Domain,
    facts: tuple[Fact, ...],
    sections: tuple[Section, ...],
    places: list[tuple[int, ...]],
    size: Size,
) -> list[str | tuple[str, str] | None]:
    """References to what came before, or, where nothing did, to something outside."""
    inside = {fact.subject for fact in facts}
    outside = [
        (NOUNS[kind], subject)
        for kind in size.kinds
        for subject in domain.subjects[kind]
        if subject not in inside
    ]
    used = {section.title for section in sections}
    unused = [title for kind in TITLES for title in TITLES[kind] if title not in used]
    found: list[str | tuple[str, str] | None] = []
    for paragraph, mentioned in enumerate(places):
        if not draws.chance(size.references, "order"):
            found.append(None)
            continue
        past = {fact for place in places[:paragraph] for fact in place}
        known = [
            (NOUNS[facts[i].kind], facts[i].subject)
            for i in sorted(past.difference(mentioned))
        ]
        titles = [s.title for s in sections if s.paragraphs.stop <= paragraph]
        if draws.chance(0.5, "templates") and (known or outside):
            found.append(draws.pick(known or outside, "words"))
        else:
            found.append(draws.pick(titles or unused, "words"))
    return found
