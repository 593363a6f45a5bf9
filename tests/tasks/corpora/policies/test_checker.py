import numpy as np
import pytest

from sightline.tasks.corpora._policies import swaps, values
from sightline.tasks.corpora._policies.checker import (
    contradictions,
    mentions,
    restatements,
)
from sightline.tasks.corpora._policies.policy import KINDS


def stated(policy):
    return [(*policy.facts[m.fact], m.start, m.stop) for m in policy.mentions]


def test_reads_every_mention_and_no_contradiction_in_generated_text(policies):
    for policy in policies:
        assert [tuple(m) for m in mentions(policy.text)] == stated(policy)
        assert contradictions(policy.text) == []


def test_finds_every_planted_contradiction_at_its_place(policies):
    rng = np.random.default_rng(0)
    kinds, earliest = set(), 0
    for policy in policies:
        index = int(rng.integers(len(policy.mentions)))
        mention = policy.mentions[index]
        fact = policy.facts[mention.fact]
        found = contradictions(swaps.swapped(policy, index, rng))
        others = sum(m.fact == mention.fact for m in policy.mentions) - 1
        assert len(found) == others
        for pair in found:
            assert {pair.earlier.start, pair.later.start} >= {mention.start}
            assert {pair.earlier.value, pair.later.value} >= {fact.value}
            assert (pair.later.kind, pair.later.subject) == fact[:2]
        kinds.add(fact.kind)
        earliest += found[0].earlier.start == mention.start
    assert kinds == set(KINDS) and earliest > 20


def test_a_neighbours_value_contradicts_too(policies):
    rng, planted = np.random.default_rng(0), 0
    for policy in policies:
        index = int(rng.integers(len(policy.mentions)))
        for value in swaps.neighbouring_values(policy, index)[:1]:
            assert contradictions(swaps.with_value(policy, index, value))
            planted += 1
    assert planted > 80


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_is_read_in_every_way_it_is_written(kind):
    drawn = [""]
    for part in values.parts(kind, values.MOST_NUMBERS):
        drawn = [f"{a} {b}".strip() for a in drawn for b in part]
    assert len(set(drawn)) == len(drawn)
    for value in drawn if kind not in ("permission", "requirement") else []:
        for second in (True, False):
            assert values.read(kind, values.write(kind, value, second=second)) == value


def test_passes_over_what_it_cannot_read():
    text = (
        "Loan files are kept for for months. call recordings are kept for 172 months "
        "and of the.\n\nthe The Call recordings stay in the archive for 7 years Loan "
        "files are kept for twelve years; nothing. Proxy voting for clients is"
    )
    found = mentions(text)
    assert [(m.subject, m.value) for m in found] == [
        ("call recordings", "172 months"),
        ("call recordings", "7 years"),
        ("loan files", "12 years"),
    ]
    assert [text[m.start : m.stop] for m in found] == [
        "172 months",
        "7 years",
        "twelve years",
    ]
    assert len(restatements(text)) == len(contradictions(text)) == 1
    assert mentions("") == [] == contradictions("\n\n. . .")


def test_one_phrase_is_not_read_as_its_opposite():
    text = "A chaperone is not required. To be clear, a chaperone is required."
    assert [m.value for m in mentions(text)] == ["no", "yes"]
    assert len(contradictions(text)) == 1
