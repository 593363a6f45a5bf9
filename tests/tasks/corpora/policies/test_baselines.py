import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from sightline.tasks.corpora._policies import baselines, pairs
from sightline.tasks.corpora._policies.document import BREAK
from sightline.tasks.corpora._policies.handovers import handovers
from sightline.tasks.corpora._policies.pairs import Choice, choices
from sightline.tasks.shallow.bags import bag_of_words, both_bags, shared

pytestmark = pytest.mark.unchecked

SHALLOW = ("bag of words", "bag of the second", "bag of both as one", "5-gram")


@pytest.fixture(scope="module")
def documents(policies):
    return policies[:200], policies[200:]


@pytest.fixture(scope="module")
def found(documents):
    tasks = ("swapped", "further", "restated", "sentences_swapped")
    rows = baselines.measure(*documents, tasks=tasks)
    return {(row.task, row.baseline): row for row in rows}


def test_shallow_baselines_are_near_chance(found):
    for (_, baseline), row in found.items():
        if baseline in SHALLOW:
            slack = 4 * 0.5 / math.sqrt(row.items)
            assert abs(row.accuracy - baselines.CHANCE) < 0.02 + slack, row
        assert row.low <= row.accuracy <= row.high


def test_who_reads_decides(found):
    assert found["swapped", "reader"].accuracy == 1
    assert found["restated", "reader"].accuracy == 1
    assert found["further", "reader"].accuracy > 0.9
    assert found["sentences_swapped", "reader"].accuracy > 0.6


def test_the_table_has_a_line_a_row(found):
    rows = list(found.values())
    lines = baselines.table(rows).splitlines()
    assert len(lines) == len(rows) + 2 and "0.5" in lines[-1]


def test_a_bag_of_words_finds_a_planted_opening(documents):
    rng = np.random.default_rng(0)
    made = [choices(pairs.swapped, part, rng) for part in documents]
    planted = [[_opened(choice) for choice in part] for part in made]
    score = bag_of_words(planted[0], features=both_bags)
    assert baselines.accuracy("swapped", "bag", score, planted[1]).accuracy > 0.9


def _opened(choice: Choice) -> Choice:
    first, second = choice.true
    first = "Initially. " + first
    return Choice((first, second), (second, first))


def test_shared_words_find_another_document(documents):
    rng = np.random.default_rng(0)
    fitted, items = (choices(pairs.other, part, rng) for part in documents)
    score = bag_of_words(fitted, features=shared)
    assert baselines.accuracy("other", "shared", score, items).accuracy > 0.8


def test_a_false_text_differs_in_the_value_alone(documents):
    rng = np.random.default_rng(1)
    for make in (pairs.restated, pairs.confused):
        for choice in choices(make, documents[0][:100], rng):
            assert choice.true[0] == choice.false[0]
            assert choice.true[1] != choice.false[1]
            lengths = [len(pair[1].split()) for pair in choice]
            assert abs(lengths[0] - lengths[1]) <= 2


def test_windows_cut_a_document_and_lose_nothing(documents):
    rng = np.random.default_rng(1)
    for pieces, size in ((pairs.WORD, 90), (pairs.SENTENCE, 8)):
        swapped = pairs.windows("swapped", pieces, size=size)
        further = pairs.windows("further", pieces, size=size)
        for index, policy in enumerate(documents[0][:50]):
            choice = swapped(documents[0], index, rng)
            assert choice and "".join(choice.true) in policy.text
            assert choice.false == choice.true[::-1]
            if choice := further(documents[0], index, rng):
                window = "".join(choice.true)
                assert policy.text.index(choice.false[1]) >= 0
                assert choice.false[1] not in window


def test_hand_overs_are_read_back(documents):
    for policy in documents[0][:200]:
        for text, paragraph in zip(
            policy.text.split(BREAK), policy.paragraphs, strict=True
        ):
            found = handovers(text)
            assert (found[0].giver, found[-1].receiver) == paragraph[-2:]


@given(st.integers(1, 400), st.data())
def test_an_accuracy_has_the_wilson_interval(items, data):
    wins = data.draw(st.integers(0, items))
    pairs = [Choice(("a", "yes"), ("a", "no"))] * wins
    pairs += [Choice(("a", "no"), ("a", "yes"))] * (items - wins)
    found = baselines.accuracy("t", "b", lambda pair: float(pair[1] == "yes"), pairs)
    test = stats.binomtest(wins, items).proportion_ci(0.95, method="wilson")
    assert found.accuracy == wins / items and found.items == items
    assert found[3:5] == pytest.approx((test.low, test.high), abs=1e-4)


def test_a_tie_is_half_right():
    tie = Choice(("a", "b"), ("a", "c"))
    assert baselines.accuracy("t", "b", lambda pair: 0.0, [tie, tie]).accuracy == 0.5


HANDED = "{} passes the file to {} and tells Risk."


def test_a_reader_matches_who_passes_the_file_on_and_what_is_stated():
    audit, legal = HANDED.format("Audit", "Legal"), HANDED.format("Legal", "Sales")
    read = baselines.reader
    assert read((audit, legal)) == 1 and read((legal, audit)) == -1
    assert read((audit, "Nothing.")) == read(("Nothing.", audit)) == 0
    kept = "Loan files are kept for {}."
    both = (f"{audit} {kept.format('3 days')}", f"{legal} {kept.format('4 days')}")
    assert read(both) == 1 - 10
