"""What of a mixture's pairs acts on incoherent continuation, and what is wrong."""

import numpy as np
import pytest

from sightline.diagnosis.failures.registry import get
from sightline.diagnosis.traits.objective_traits import objective_traits
from sightline.models.rows import decoder_rows
from sightline.objectives import registry
from sightline.objectives.errors import UsageError

ROWS = decoder_rows(slots=64, predictions=64)


@pytest.fixture(scope="module")
def plain():
    return objective_traits(registry.get("causal"), ROWS, examples=2)


@pytest.fixture
def pairs(plain):
    """`pairs(labels, negatives=.5, other=, further=, swapped=)`: traits of such."""

    def make(labels=1.0, negatives=0.5, **kinds):
        none = 1 - sum(kinds.values())
        every = {"other": 0.0, "further": 0.0, "swapped": 0.0, "none": none} | kinds
        return plain._replace(labels=labels, negatives=negatives, kinds=every)

    return make


@pytest.mark.parametrize(
    ("kinds", "part"),
    [
        ({"other": 1.0}, 0.0),
        ({"other": 0.75, "further": 0.25}, 0.5),
        ({"other": 0.75, "swapped": 0.25}, 0.5),
        ({"other": 0.5, "further": 0.25, "swapped": 0.25}, 1.0),
        ({"swapped": 1.0}, 1.0),
    ],
)
def test_labels_act_in_full_where_half_of_the_negatives_test_order(kinds, part, pairs):
    continuation = get("continuation")
    traits = pairs(labels=0.4, **kinds)
    assert continuation.supplied_by(traits) == pytest.approx(0.4 * part)
    assert continuation.need.amount(traits) == 0.4  # whatever they are worth


@pytest.mark.parametrize(
    ("negatives", "flawed"),
    [(0.0, True), (0.04, True), (0.06, False), (0.94, False), (0.96, True)],
)
def test_one_answer_that_is_nearly_always_right_is_a_flaw(negatives, flawed, pairs):
    flaw = get("continuation").flaw(pairs(negatives=negatives, further=1.0))
    assert ("one answer is nearly always right" in flaw.text) == flawed
    assert flaw.text == "" or f"{100 * negatives:.0f} % of the labels" in flaw.text
    assert flaw.shares["negative pairs"] == negatives


@pytest.mark.parametrize(
    ("further", "swapped", "flawed"),
    [(0.04, 0.04, True), (0.0, 0.0, True), (0.06, 0.06, False), (0.0, 0.2, False)],
)
def test_order_that_is_not_tested_is_a_flaw(further, swapped, flawed, pairs):
    other = 1 - further - swapped
    traits = pairs(further=further, swapped=swapped, other=other)
    flaw = get("continuation").flaw(traits)
    assert flaw.text.endswith("order is not tested") == flawed
    assert flaw.shares["negatives: further"] == further
    assert flaw.shares["negatives: other"] == other


def test_without_labels_there_is_nothing_to_be_wrong(pairs):
    assert get("continuation").flaw(pairs(labels=0.0, negatives=0.0)) is None


@pytest.mark.parametrize(("slots", "tokens"), [(96, 94), (256, 254), (512, 254)])
def test_pairs_fit_a_row_and_are_of_sentences_where_these_are_marked(
    slots, tokens, ids
):
    (pair,) = get("continuation").remedies
    settings = pair.settings(ids, slots)
    assert (settings["unit"], settings["max_tokens"]) == ("sentence", tokens)
    # Half of the negatives and more test order.
    assert settings["further"] + settings["swapped"] >= settings["other"]
    none = np.array([], np.int32)
    for field in ("sentence_ends", "word_starts"):
        unmarked = ids._replace(**{field: none})
        assert pair.settings(unmarked, slots)["unit"] == "token"


def test_rows_too_short_for_a_pair_are_named(ids):
    (pair,) = get("continuation").remedies
    assert pair.settings(ids, 18)["max_tokens"] == 16
    with pytest.raises(UsageError, match=r"rows have 17 slots; give rows of 18 or"):
        pair.settings(ids, 17)
