"""Other values at a mention: which they may be, and how they are written there."""

import re
from collections import Counter

import numpy as np
import pytest

from sightline.tasks.corpora._policies import swaps
from sightline.tasks.corpora._policies.checker import mentions
from sightline.tasks.corpora._policies.policy import (
    Fact,
    Mention,
    Paragraph,
    Policy,
)
from sightline.tasks.corpora._policies.read_back import ReadBack, read_back

pytestmark = pytest.mark.unchecked

FACTS = (
    Fact("retention", "loan files", "17 months"),
    Fact("retention", "call recordings", "30 weeks"),
    Fact("deadline", "a sanctions match", "44 days"),
    Fact("permission", "home trading", "yes"),
    Fact("approval", "fee waivers", "Head of Conduct"),
    Fact("approval", "rate exceptions", "Chair of Assurance"),
)
TEXT = (
    "Loan files are kept for 17 months. A sanctions match is reported within 44 days. "
    "Fee waivers need the approval of the Head of Conduct.\n\n"
    "Call recordings are kept for 30 weeks. After seventeen months, loan files are "
    "deleted. Home trading is permitted.\n\n"
    "The Chair of Assurance signs off rate exceptions. Thirty weeks is all. Loan files "
    "stay in the archive for 17 months. We hold call recordings for 30 weeks after the "
    "file is closed. The company allows home trading. Anyone who learns of a sanctions "
    "match has 44 days to report it.\n\n"
    "Fee waivers are decided by the Head of Conduct."
)
ORDER = [  # of each mention: fact, phrase, and its words
    *((0, 0, "17 months"), (2, 0, "44 days"), (4, 0, "Head of Conduct")),
    *((1, 0, "30 weeks"), (0, 3, "seventeen months"), (3, 0, "permitted")),
    *((5, 1, "Chair of Assurance"), (0, 4, "17 months"), (1, 5, "30 weeks")),
    *((3, 1, "allows"), (2, 1, "44 days"), (4, 3, "Head of Conduct")),
]


@pytest.fixture(scope="module")
def policy():
    """A document of four paragraphs, written by hand, with its mentions."""
    starts = [m.start for m in mentions(TEXT)]
    breaks = [m.start() for m in re.finditer("\n\n", TEXT)]
    found = []
    for (fact, phrase, words), start in zip(ORDER, starts, strict=True):
        assert TEXT[start:].startswith(words)
        paragraph = sum(end < start for end in breaks)
        second = words == "seventeen months"
        stop = start + len(words)
        found.append(Mention(fact, start, stop, paragraph, 0, "scope", phrase, second))
    ends = [*breaks, len(TEXT)]
    begins = [0, *(end + 2 for end in breaks)]
    paragraphs = tuple(
        Paragraph(a, b, 0, "Audit", "Legal") for a, b in zip(begins, ends, strict=True)
    )
    return Policy(TEXT, "banking", FACTS, tuple(found), paragraphs, ("scope",), {})


@pytest.mark.parametrize(
    ("mention", "shown", "expected"),
    [
        (4, "paragraph", []),  # call recordings stand in the same paragraph
        (4, "before", []),  # and before it there
        (7, "paragraph", []),  # the 30 weeks come later in its paragraph
        (7, "before", ["30 weeks"]),
        (8, "before", []),  # the 17 months stand before it
        (0, "before", []),
        (11, "paragraph", ["Chair of Assurance"]),
        (3, "paragraph", []),  # both values of its kind are there
    ],
)
def test_values_nearby_are_those_stated_before_and_not_shown(
    policy, mention, shown, expected
):
    assert swaps.neighbouring_values(policy, mention, shown=shown) == expected


def test_every_later_mention_has_its_hard_alternatives(policy):
    """A value of another fact of the kind; else its number; or the opposite."""
    at = [m.start for m in policy.mentions]
    found = {
        (policy.text[r.start : r.stop], at.index(r.start)): r
        for r in swaps.restated(policy)
    }
    told = {key: (r.kind, r.earlier, r.false, r.rival) for key, r in found.items()}
    assert told == {
        # No other retention period came before, so the deadline's number.
        ("seventeen months", 4): ("number", at[0], "forty-four months", at[1]),
        ("17 months", 7): ("number", at[4], "30 weeks", at[3]),
        # All other numbers stand before it in the paragraph, but the deadline's.
        ("30 weeks", 8): ("number", at[3], "44 weeks", at[1]),
        ("allows", 9): ("polarity", at[5], "forbids", at[5]),
        # 17 and 30 both stand before it in the paragraph.
        ("Head of Conduct", 11): ("entity", at[2], "Chair of Assurance", at[6]),
    }


@pytest.mark.parametrize(
    ("mention", "value", "words"),
    [
        (0, "30 weeks", "30 weeks"),
        (4, "41 weeks", "forty-one weeks"),
        (5, "no", "prohibited"),
        (9, "no", "forbids"),
        (6, "Warden of Conduct", "Warden of Conduct"),
    ],
)
def test_a_value_is_written_in_the_form_of_the_mention(policy, mention, value, words):
    at = policy.mentions[mention]
    changed = swaps.with_value(policy, mention, value)
    assert changed == policy.text[: at.start] + words + policy.text[at.stop :]


def test_a_value_that_begins_a_sentence_is_capital():
    text = "Seventeen months is all"
    mention = Mention(0, 0, 16, 0, 0, "scope", 0, True)
    alone = Policy(text, "banking", FACTS, (mention,), (), (), {})
    assert swaps.with_value(alone, 0, "41 weeks") == "Forty-one weeks is all"


def test_other_values_are_all_but_the_own(policy):
    by_kind = Counter(
        {kind: len(swaps.other_values(policy, n)) for n, kind in enumerate(
            policy.facts[m.fact].kind for m in policy.mentions)}
    )  # fmt: skip
    assert by_kind == {
        "retention": 40 * 3 - 1,
        "deadline": 40 * 3 - 1,
        "approval": 40 - 1,
        "permission": 1,
    }
    few = swaps.other_values(policy, 0, numbers=7)
    assert len(few) == 7 * 3 - 1 and "17 months" not in few
    rng = np.random.default_rng(0)
    drawn = {swaps.swapped(policy, 5, rng) for _ in range(5)}
    assert drawn == {swaps.with_value(policy, 5, "no")}


def test_generated_documents_have_alternatives_that_fit(policies):
    kinds = Counter()
    for policy in policies[:8]:
        at = {m.start: n for n, m in enumerate(policy.mentions)}
        for one in swaps.restated(policy):
            mention = policy.mentions[at[one.start]]
            fact = policy.facts[mention.fact]
            text = policy.text[: one.start] + one.false + policy.text[one.stop :]
            (read,) = (m for m in mentions(text) if m.start == one.start)
            assert (read.kind, read.subject) == fact[:2] and read.value != fact.value
            rival = policy.mentions[at[one.rival]]
            stated = policy.facts[rival.fact].value
            if one.kind == "polarity":
                assert {stated, read.value} == {"yes", "no"}
                assert rival.fact == mention.fact
            else:
                assert stated.split(" ")[0] == read.value.split(" ")[0]
                assert rival.paragraph < mention.paragraph
                said = [
                    m.start
                    for m in policy.mentions
                    if m.paragraph < mention.paragraph
                    and policy.facts[m.fact].value == read.value
                ]
                assert not said or one.rival == max(said)
            kinds[one.kind] += 1
    assert min(kinds.values()) > 5 and len(kinds) == 3


def test_read_back_counts_what_is_read_misread_and_found(policies):
    rng = np.random.default_rng(0)
    stated = sum(len(policy.mentions) for policy in policies[:20])
    assert read_back(policies[:20], rng) == ReadBack(20, stated, 0, 0, 20, 20)
    blind = policies[0]._replace(text=policies[1].text)
    found = read_back([blind], rng)
    assert found.misread > found.mentions and found.contradicting == 0
