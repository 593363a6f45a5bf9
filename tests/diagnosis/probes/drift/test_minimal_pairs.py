"""Restatements in plain text, each of one rule that a pair must keep."""

import numpy as np
import pytest

from sightline.diagnosis.probes.drift.minimal_pairs import minimal_pairs

pytestmark = pytest.mark.unchecked

OTHERS = ["Again, the lamp burns for hours. It goes out after long use."] * 9
"""What every text has in common is not rare."""


def pairs(text, *, seed=0, **limits):
    """The values that are swapped for each other."""
    rng = np.random.default_rng(seed)
    found = []
    for item in minimal_pairs([text, *OTHERS], rng, **limits):
        true, false = (
            pair[1].split()[0].strip(".,") for pair in (item.true, item.false)
        )
        found.append((true, false))
    return found


def lamps(first, second, again="Again, the heron lamp goes out after {}."):
    return (
        f"The heron lamp burns for {first}. The badger lamp burns for {second}. "
        + again.format(first)
        + f" Again, the badger lamp goes out after {second}."
    )


@pytest.mark.parametrize(
    ("first", "second"), [("12", "34"), ("1,200", "3,400"), ("Otter", "Magpie")]
)
def test_values_of_one_shape_are_exchanged(first, second):
    assert sorted(pairs(lamps(first, second))) == sorted(
        [(first, second), (second, first)]
    )


@pytest.mark.parametrize(
    ("first", "second"), [("12", "340"), ("1,200", "34.0"), ("Otter", "NASA")]
)
def test_values_of_two_shapes_are_not(first, second):
    assert pairs(lamps(first, second)) == []


@pytest.mark.parametrize(
    "again",
    [
        "{} is what the heron lamp goes out after.",  # it begins with the value
        "Again, the heron lamp after {} goes out after {}.",  # it has it twice
        "Again, the heron lamp after {} goes on for 34.",  # it has the other too
        "Again, the magpie lamp goes out after {}.",  # it does not tell which
    ],
)
def test_a_sentence_that_would_show_or_not_tell_it_is_passed_over(again):
    """And the exchange with it: neither value is to be likelier."""
    assert len(pairs(lamps("12", "34"))) == 2
    text = lamps("12", "34", again=again.replace("{}", "12"))
    assert pairs(text) == []


def test_the_last_mention_that_can_be_swapped_is():
    text = lamps("12", "34") + " Later the heron lamp still needs 12 at night."
    rng = np.random.default_rng(0)
    items = minimal_pairs([text, *OTHERS], rng)
    assert {item.true[1] for item in items} == {" 12 at night.", " 34."}


@pytest.mark.parametrize(("each", "swaps"), [(2, 2), (3, 2), (4, 4), (40, 12)])
def test_exchanges_are_at_most_half_of_what_a_document_gives(each, swaps):
    """Of four values there are six pairs, and of each pair two swaps."""
    names = ("heron", "badger", "magpie", "weasel")
    said = [f"The {name} lamp burns for {10 + n}." for n, name in enumerate(names)]
    said += [
        f"Again, the {name} lamp burns for {10 + n}." for n, name in enumerate(names)
    ]
    found = pairs(" ".join(said), each=each)
    assert len(found) == swaps
    assert sorted(found) == sorted((b, a) for a, b in found)


@pytest.mark.parametrize(("topic", "items"), [("heron valve", 2), ("valve", 0)])
def test_polarity_is_told_by_two_rare_words(topic, items):
    """Of "valve" alone there may be several that differ."""
    said = (
        f"Here the {topic} must be open. There a door must not be shut. At night the "
        f"{topic} must be closed.",
        f"Here the {topic} must not be wet. There a wall must be dry. At noon the "
        f"{topic} must not be cold.",
    )
    filler = [f"Nothing of note number {n}." for n in range(45)]
    rng = np.random.default_rng(0)
    assert len(minimal_pairs([*said, *filler], rng)) == items


def test_what_tells_the_value_is_before_it_however_little_is():
    """A denied word has one more before it than the value has."""
    affirm = (
        "The heron valve must be opened daily. The office must not be painted. In any "
        "season, the heron valve must be opened by hand."
    )
    deny = (
        "The magpie valve must not be opened daily. The office must be painted. In any "
        "season, the magpie valve must not be opened by hand."
    )
    filler = [f"Nothing of note number {n}." for n in range(45)]
    counts = []
    for most_words in range(8, 26):
        rng = np.random.default_rng(0)
        items = minimal_pairs([affirm, deny, *filler], rng, most_words=most_words)
        counts.append(len(items))
        for item in items:
            assert len(item.true[0].split()) <= most_words
            assert item.true[0].startswith(("The heron valve", "The magpie valve"))
    assert set(counts) == {0, 2} and counts == sorted(counts)
