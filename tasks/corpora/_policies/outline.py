"""The plan of a document: what it says and in which order, before it is written.

Everything visible in a single paragraph is equally likely in any place: sections come
in any order, a fact's mentions fall on any paragraphs, references occur everywhere at
the same rate, and if there is nothing yet to refer to, they name something outside the
document. Order shows only between paragraphs: in who passes the file to whom, and in
what is introduced before it is referred to.
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
    """The plan of one paragraph.

    Attributes:
      section: index of its section.
      facts: indices of the facts that it mentions.
      links: hand-overs: the departments that give, receive and are informed.
      reference: a section's title, or (a fact's noun, its subject), or None.
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
    """Different subjects of the domain, all equally likely, each with a value."""
    subjects = [(kind, s) for kind in size.kinds for s in domain.subjects[kind]]
    count = draws.between(size.fewest_facts, size.most_facts, "order")
    return tuple(
        Fact(kind, subject, _value(draws, kind, size))
        for kind, subject in draws.subset(subjects, count, "words")
    )


def _value(draws: Draws, kind: str, size: Size) -> str:
    words = [draws.pick(part, "values") for part in parts(kind, size.numbers)]
    return " ".join(words)


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
    """The facts of each paragraph: one mention in its home section, others anywhere."""
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
    """The hand-overs of each paragraph: steps of a walk among a few departments.

    The walk never turns straight back, and a paragraph's last step never leads to the
    start of the paragraph before: in the other order, the two do not fit.
    """
    cast = draws.subset(DEPARTMENTS, size.departments, "words")
    before, began, giver = "", "", draws.pick(cast, "words")
    links: list[tuple[tuple[str, str, str], ...]] = []
    for _ in range(count):
        start, steps = giver, list[tuple[str, str, str]]()
        number = draws.between(size.fewest_links, size.most_links, "order")
        for left in reversed(range(number)):
            excluded = {before, giver} | ({began} if not left else set())
            candidates = [name for name in cast if name not in excluded]
            receiver = draws.pick(candidates, "words")
            others = [name for name in cast if name not in (giver, receiver)]
            steps.append((giver, receiver, draws.pick(others, "words")))
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
    """References to what came before, or, if nothing did, to something outside."""
    inside = {fact.subject for fact in facts}
    outside = [
        (NOUNS[kind], subject)
        for kind in size.kinds
        for subject in domain.subjects[kind]
        if subject not in inside
    ]
    used = {section.title for section in sections}
    unused = [title for kind in TITLES for title in TITLES[kind] if title not in used]
    references: list[str | tuple[str, str] | None] = []
    for paragraph, mentioned in enumerate(places):
        if not draws.chance(size.references, "order"):
            references.append(None)
            continue
        past = {fact for place in places[:paragraph] for fact in place}
        introduced = [
            (NOUNS[facts[i].kind], facts[i].subject)
            for i in sorted(past.difference(mentioned))
        ]
        titles = [s.title for s in sections if s.paragraphs.stop <= paragraph]
        if draws.chance(0.5, "templates") and (introduced or outside):
            references.append(draws.pick(introduced or outside, "words"))
        else:
            references.append(draws.pick(titles or unused, "words"))
    return references
