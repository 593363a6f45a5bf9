"""A document keeps to its settings, and refers only to what came before."""

import dataclasses
import itertools
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from sightline.objectives.errors import UsageError
from sightline.tasks.corpora._policies.domains import DOMAINS, subjects
from sightline.tasks.corpora._policies.handovers import handovers
from sightline.tasks.corpora._policies.links import (
    DEPARTMENTS,
    FACT_REFERENCES,
    NOUNS,
    SECTION_REFERENCES,
)
from sightline.tasks.corpora._policies.phrases import OPENERS
from sightline.tasks.corpora._policies.policy import KINDS
from sightline.tasks.corpora._policies.sections import FILLERS, HOMES, TITLES
from sightline.tasks.corpora._policies.values import UNITS
from sightline.tasks.corpora.policies import Policies

pytestmark = pytest.mark.unchecked

RANGES = {
    "sections": (1, 9),
    "paragraphs": (1, 3),
    "facts": (1, 6),
    "mentions": (1, 8),
    "links": (1, 4),
    "fillers": (0, 3),
}
SECOND = (*UNITS, "amount")
"""Kinds whose values have a second form."""


def paragraphs(policy):
    return [policy.text[p.start : p.stop] for p in policy.paragraphs]


@st.composite
def corpora(draw):
    """Corpora of any settings that are within their ranges."""
    chosen = {}
    for name, (least, most) in RANGES.items():
        fewest = draw(st.integers(least, most))
        chosen[f"fewest_{name}"] = fewest
        chosen[f"most_{name}"] = draw(st.integers(fewest, most))
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, unique=True))
    shares = {
        name: draw(st.sampled_from((0.0, 0.5, 1.0)))
        for name in ("titled", "openers", "references", "second_forms")
    }
    try:
        return Policies(
            **chosen,
            **shares,
            kinds=tuple(kinds),
            numbers=draw(st.integers(2, 80)),
            departments=draw(st.integers(4, 12)),
            wordings=draw(st.integers(1, 8)),
            seed=draw(st.integers(0, 99)),
        )
    except UsageError:
        assume(False)


@settings(max_examples=30, deadline=None)
@given(corpora())
def test_a_document_has_as_much_of_everything_as_was_set(corpus):
    policy = corpus.policy("train", 0)

    def within(name, counts):
        fewest = getattr(corpus, f"fewest_{name}")
        most = getattr(corpus, f"most_{name}")
        assert all(fewest <= count <= most for count in counts), name

    of_section = Counter(p.section for p in policy.paragraphs)
    within("sections", [len(policy.titles)])
    within("paragraphs", of_section.values())
    assert list(of_section) == list(range(len(policy.titles)))
    within("facts", [len(policy.facts)])
    of_fact = Counter(m.fact for m in policy.mentions)
    within("mentions", [of_fact[n] for n in range(len(policy.facts))])
    passed = [handovers(text) for text in paragraphs(policy)]
    within("links", map(len, passed))
    named = {name for found in passed for link in found for name in link[:3]}
    assert len(named) <= corpus.departments
    assert {fact.kind for fact in policy.facts} <= set(corpus.kinds)
    assert max(m.phrase for m in policy.mentions) < corpus.wordings
    numbers = [int(f.value.split()[0]) for f in policy.facts if f.kind in UNITS]
    assert all(11 <= number < 11 + corpus.numbers for number in numbers)
    forms = {m.second for m in policy.mentions if policy.facts[m.fact].kind in SECOND}
    assert corpus.second_forms == 0.5 or forms <= {bool(corpus.second_forms)}


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_every_paragraph_is_titled_and_every_sentence_opened_or_none(share):
    corpus = Policies(titled=share, openers=share)
    for index in range(5):
        policy = corpus.policy("train", index)
        for paragraph, text in zip(policy.paragraphs, paragraphs(policy), strict=True):
            title = policy.titles[paragraph.section].capitalize() + ". "
            assert text.startswith(title) == bool(share)
            for sentence in text.removeprefix(title).split(". "):
                opened = sentence.lower().startswith(OPENERS)
                assert opened == bool(share), sentence


def test_the_file_never_goes_straight_back_and_a_third_department_is_told(policies):
    receivers = Counter()
    for policy in policies[:100]:
        steps = handovers(policy.text)
        for step in steps:
            assert len({step.giver, step.receiver, step.informed}) == 3
        for one, two in itertools.pairwise(steps):
            assert one.receiver == two.giver and one.giver != two.receiver
        receivers.update(step.receiver for step in steps)
    assert set(receivers) == set(DEPARTMENTS)


def test_a_fact_is_mentioned_in_the_section_that_is_its_home(policies):
    for policy in policies[:100]:
        kinds = {m.section: m.section_kind for m in policy.mentions}
        for index, fact in enumerate(policy.facts):
            own = {m.section_kind for m in policy.mentions if m.fact == index}
            home = HOMES[fact.kind]
            assert home in own or home not in kinds.values()


def filled(lines, **words):
    """An expression for any of the lines, whose slots hold these expressions."""
    found = "|".join(map(re.escape, lines))
    for slot, expression in words.items():
        count = found.count(rf"\{{{slot}\}}")
        for number in range(count):
            name = f"(?P<{slot}{number}>{expression})"
            found = found.replace(rf"\{{{slot}\}}", name, 1)
    return re.compile(found, re.IGNORECASE)


TITLE = filled(SECTION_REFERENCES, t="|".join(t for ts in TITLES.values() for t in ts))
SUBJECT = "|".join(map(re.escape, itertools.chain(*subjects().values())))
NOUN = filled(FACT_REFERENCES, n="|".join(NOUNS.values()), s=SUBJECT)


def first(match, slot):
    found = (value for name, value in match.groupdict().items() if name[0] == slot)
    return next(value.lower() for value in found if value)


def test_what_is_referred_to_came_before_or_is_not_in_the_document(policies):
    inside, total = Counter(), 0
    for policy in policies[:150]:
        facts = {f.subject.lower(): f for f in policy.facts}
        seen, before = set(), None
        for paragraph, text in zip(policy.paragraphs, paragraphs(policy), strict=True):
            references = [*TITLE.finditer(text), *NOUN.finditer(text)]
            assert len(references) <= 1
            total += 1
            for match in references:
                if match.re is TITLE:
                    title = first(match, "t")
                    if title in policy.titles:
                        assert policy.titles.index(title) < paragraph.section
                        last = before is not None and policy.titles[before] == title
                        inside["the section that ended just before"] += last
                    inside["titles", title in policy.titles] += 1
                else:
                    subject = first(match, "s")
                    if subject in facts:
                        assert subject in seen
                        assert first(match, "n") == NOUNS[facts[subject].kind]
                    inside["facts", subject in facts] += 1
            for m in policy.mentions:
                if paragraph.start <= m.start < paragraph.stop:
                    seen.add(policy.facts[m.fact].subject.lower())
            before = paragraph.section
    assert inside.pop("the section that ended just before") > 20
    assert len(inside) == 4 and min(inside.values()) > 20
    share = sum(inside.values()) / total
    assert abs(share - 0.35) < 4 * np.sqrt(0.35 * 0.65 / total)


def test_fillers_are_of_the_section_and_its_domain(policies):
    words = {d.name: d for d in DOMAINS}
    for policy in policies[:30]:
        domain = words[policy.domain]
        own = {
            "people": domain.people, "clients": domain.clients,
            "sites": domain.sites, "system": domain.systems,
        }  # fmt: skip
        slots = {name: "|".join(map(re.escape, those)) for name, those in own.items()}
        kinds = {m.section: m.section_kind for m in policy.mentions}
        for paragraph, text in zip(policy.paragraphs, paragraphs(policy), strict=True):
            if paragraph.section not in kinds:
                continue
            found = [
                bool(filled([line], **slots).search(text))
                for line in FILLERS[kinds[paragraph.section]]
            ]
            assert 1 <= sum(found) <= 2, text


def test_settings_at_their_ends_are_taken():
    corpus = Policies(
        seed=2**32 - 1,
        train_documents=2**32 - 1,
        most_sections=9,
        fewest_facts=42,
        most_facts=42,
        most_mentions=8,
        fewest_sections=8,
        most_links=100,
        most_fillers=7,
        numbers=80,
        departments=len(DEPARTMENTS),
    )
    assert len({f.subject for f in corpus.policy("train", 2**32 - 2).facts}) == 42
    with pytest.raises(
        UsageError, match=r"raise policies.fewest_sections or policies.fewest"
    ):
        dataclasses.replace(corpus, fewest_sections=7)
    with pytest.raises(IndexError, match="it has documents 0 to 999"):
        corpus.policy("validation", 1000)
