"""Preferences: the pointwise mutual information of two texts, by hand."""

import pytest

from sightline.diagnosis.probes.asking.forms import MODES
from sightline.diagnosis.probes.asking.subject import Subject
from sightline.diagnosis.probes.choices.items import Item
from sightline.diagnosis.probes.choices.preferences import (
    preference_scores,
    preferences,
)
from sightline.models.rows import decoder_rows

from ..conftest import seen_elsewhere

BEFORE = "B B0 B1 B2. B B3 B4 B5."
ITEMS = [
    Item(3, "next", (BEFORE, " B B6 B0 B1."), (BEFORE, " C C6 C0 C1.")),
    Item(5, "begun", (BEFORE + " B B6", " B6 B1."), (BEFORE + " B B6", " B C1."), 5),
    Item(5, "next", ("D D0 D1 D2.", " D D3."), ("C C0 C1 C2.", " D D3.")),
]


def taught(toy, mode="causal", slots=80):
    """A model that likes a token the better the more often it sees it elsewhere."""

    shape = decoder_rows(slots=slots, predictions=slots)
    return Subject(
        None, seen_elsewhere, seen_elsewhere, shape, toy.vocab, mode, {mode: 1.0}
    )


def tally(toy, before, after):
    """The same, by hand, from words: what `taught` says in causal mode."""
    said, seen = 0, toy.vocab.encode(before).tolist()
    for token in toy.vocab.encode(after).tolist():
        said += seen.count(token)
        seen.append(token)
    return said


def test_sums_by_hand(toy):
    found = preferences(taught(toy), ITEMS)
    assert found.item.tolist() == [0, 1, 2]
    for n, item in enumerate(ITEMS):
        for pair, value in ((item.true, found.true[n]), (item.false, found.false[n])):
            own = pair[0][len(pair[0]) - item.local :]
            assert value == tally(toy, *pair) - tally(toy, own, pair[1])
    kept = preferences(taught(toy), ITEMS, prior="kept")
    assert kept.true.tolist() == [tally(toy, *item.true) for item in ITEMS]


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_prefers_what_it_saw_more_of(mode, toy):
    found = preferences(taught(toy, mode), ITEMS)
    assert (found.true > found.false)[[0, 2]].all()
    assert found.wins[0] == found.wins[2] == 1


def test_a_tie_counts_half(toy):
    same = Item(0, "same", ITEMS[0].true, ITEMS[0].true)
    assert preferences(taught(toy), [same]).wins.tolist() == [0.5]


def test_items_without_room_are_left_out_and_the_rest_keep_their_places(toy):
    # Rows of 6 hold five tokens of one sentence, but not the ten of two.
    long = Item(9, "long", (BEFORE, BEFORE), (BEFORE, " C."))
    found = preferences(taught(toy, slots=6), [long, *ITEMS, long])
    assert found.item.tolist() == [1, 2, 3]
    assert preferences(taught(toy, slots=6), [long]).item.tolist() == []


def test_items_that_lose_what_they_need_are_left_out(toy):
    item = ITEMS[0]._replace(needed=len(" B B3 B4 B5."))
    whole = item._replace(needed=len(BEFORE))
    found = [
        preferences(taught(toy, slots=slots), [item, whole]).item.tolist()
        for slots in (16, 11, 6)
    ]
    assert found == [[0, 1], [0], []]


def test_scores_by_kind_with_the_share_reversed_where_lower_is_better(toy):
    shallow = {"all": {"bag": 0.25}, "next": {"bag": 0.5}}

    def scores(**given):
        found = preference_scores(
            taught(toy), ITEMS, probe="p", baselines=shallow, **given
        )
        return {s.kind: s for s in found}

    high, low = scores(), scores(better="lower")
    assert list(high) == ["all", "next", "begun"]
    assert [s.items for s in high.values()] == [3, 2, 1]
    assert [s.documents for s in high.values()] == [2, 2, 1]
    for kind, score in high.items():
        ends = (score.value, score.low, score.high)
        turned = (1 - low[kind].value, 1 - low[kind].high, 1 - low[kind].low)
        assert ends == pytest.approx(turned)
        assert (score.chance, score.mode, score.trained) == (0.5, "causal", True)
    assert high["all"].metric == "accuracy" and low["all"].metric == "share that jumps"
    assert (high["all"].baselines, low["all"].baselines) == (
        {"bag": 0.25},
        {"bag": 0.75},
    )
    assert high["begun"].baselines == {}
