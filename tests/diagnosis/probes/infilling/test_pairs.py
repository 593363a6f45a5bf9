"""Blanks that only their right side fills: what decides, and that nothing else does."""

from collections import Counter

import numpy as np
import pytest

from sightline.diagnosis.probes.choices.shallow import baselines
from sightline.diagnosis.probes.drift.stated_values import rare_words
from sightline.diagnosis.probes.infilling.blanks import Blank, balance_order
from sightline.diagnosis.probes.infilling.fact_blanks import fact_blanks
from sightline.diagnosis.probes.infilling.pairs import infilling_pairs
from sightline.diagnosis.probes.infilling.text_blanks import text_blanks
from sightline.diagnosis.probes.material import Material, Plan
from sightline.tasks.corpora.policies import (
    Policies,
    contradictions,
    mentions,
)

pytestmark = pytest.mark.unchecked

SMALL = Policies(
    kinds=("retention", "permission"),
    fewest_sections=3,
    most_sections=4,
    most_paragraphs=1,
    fewest_facts=4,
    most_facts=4,
    fewest_mentions=2,
    most_mentions=2,
    fewest_fillers=0,
    most_fillers=0,
)
"""Short documents in which many facts are stated twice."""

DOCUMENTS = 30


@pytest.fixture(scope="module")
def material():
    tested, fitted = (
        SMALL.documents(split)[:DOCUMENTS] for split in ("validation", "train")
    )
    return Material(SMALL, tested, fitted, 300, Plan())


@pytest.fixture(scope="module")
def items(material):
    return infilling_pairs(material, "validation", np.random.default_rng(0))


def parts(item):
    """The text before the blank, both fillings, and the text after it."""
    left, after = item.true
    right = after[len(after) - item.right :]
    fillings = [
        pair[1][: len(pair[1]) - item.right] for pair in (item.true, item.false)
    ]
    return left, *fillings, right


def test_the_right_side_alone_tells(items, material):
    assert len(items) > 15
    for item in items:
        left, _, _, right = parts(item)
        assert "".join(item.true) in material.tested[item.document]
        assert item.false[0] == left and item.false[1].endswith(right)
        assert not contradictions("".join(item.true))
        assert contradictions("".join(item.false))
        # The fact of the blank is not stated before it, nor is the false value.
        told = {pair.earlier.subject for pair in contradictions("".join(item.false))}
        assert not told & {mention.subject for mention in mentions(left)}
        assert told <= {mention.subject for mention in mentions(right)}


def filled_value(item, pair):
    """The value that a text states in its blank."""
    blank = len(pair[0]) + len(pair[1]) - item.right
    said = [m for m in mentions("".join(pair)) if len(pair[0]) <= m.start < blank]
    return said[0].value if said else None


def test_both_values_stand_once_on_the_right_and_never_on_the_left(items):
    checked = 0
    for item in items:
        if not item.kind.startswith("number"):
            continue
        left, _, _, right = parts(item)
        values = [filled_value(item, pair) for pair in (item.true, item.false)]
        if None in values:  # a sentence whose subject is behind the cut
            continue
        after = Counter(mention.value for mention in mentions(right))
        assert [after[value] for value in values] == [1, 1]
        assert not set(values) & {mention.value for mention in mentions(left)}
        checked += 1
    assert checked > 15


def test_a_fact_that_the_left_decides_is_no_blank():
    policy = SMALL.policy("validation", 0)
    for blank in fact_blanks(policy, most_right=300):
        told = mentions(policy.text[blank.left : blank.start])
        (own,) = [m for m in mentions(policy.text) if m.start == blank.start]
        assert own.subject not in {mention.subject for mention in told}
        assert own.value not in {mention.value for mention in told}
    # The planted fault: with all of its left side, a later mention is told by it.
    last = max(policy.mentions, key=lambda mention: mention.start)
    starts = {blank.start for blank in fact_blanks(policy, most_right=300)}
    assert last.start not in starts


def test_what_stands_first_or_often_does_not_fill_the_blank(items):
    first = Counter[bool]()
    for item in items:
        right = parts(item)[-1]
        values = [filled_value(item, pair) for pair in (item.true, item.false)]
        order = [m.value for m in mentions(right) if m.value in values]
        if item.kind.startswith("number") and None not in values:
            first[order[0] == values[0]] += 1
    assert first[True] > 10
    assert abs(first[True] - first[False]) <= 2  # of those whose value can be read


def test_shallow_baselines_are_at_chance(material):
    rng = np.random.default_rng(0)
    made = [infilling_pairs(material, split, rng) for split in ("train", "validation")]
    found = baselines(*made)
    for name, share in found.items():
        # Three standard errors of so many items.
        assert abs(share - 0.5) < 1.5 / np.sqrt(len(made[1])), name


def test_items_follow_from_the_seed(material, items):
    again = infilling_pairs(material, "validation", np.random.default_rng(0))
    assert again == items
    other = infilling_pairs(material, "validation", np.random.default_rng(1))
    assert other != items


TEXT = (
    "The {0} lamp in the tower burns for 12 hours. The {1} lamp burns for 34 hours.\n\n"
    "Nobody minds. Let us go on to other matters.\n\n"
    "Again the {0} lamp goes out after 12 hours of use. Again the {1} lamp goes out "
    "after 34 hours of use."
)


def blanks(text):
    others = ["Again, the lamp burns for hours. It goes out after long use."] * 9
    rng = np.random.default_rng(0)
    rare = rare_words([text, *others])
    return text_blanks(text, rare, rng, each=8, most_right=60)


def test_a_blank_is_found_in_plain_text():
    text = TEXT.format("heron", "badger")
    found = {(blank.true, blank.false): blank for blank in blanks(text)}
    assert set(found) == {("12", "34"), ("34", "12")}
    first, second = found["12", "34"], found["34", "12"]
    assert (first.left, first.first) == (0, False)
    # The other lamp's sentence is not shown, as it states the false value.
    assert text[second.left :].startswith(" The badger lamp burns")
    item = first.item(0, text, most_left=30)
    assert item.true == (text[: first.start - 1], " " + text[first.start : first.right])
    assert item.false[1].startswith(" 34 hours. The badger")


def test_what_the_right_leaves_open_is_no_blank():
    assert blanks(TEXT.format("heron", "heron")) == []


def test_half_of_the_true_values_come_first():
    made = [
        (n, Blank("number", n, "1", "2", 0, 9, 5, first=n % 3 == 0)) for n in range(30)
    ]
    kept = balance_order(made, np.random.default_rng(0))
    assert len(kept) == 20
    assert sum(blank.first for _, blank in kept) == 10
