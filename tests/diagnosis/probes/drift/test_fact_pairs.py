"""Pairs that differ in a fact, beside the facts that are parsed from the text."""

from collections import Counter

import numpy as np
import pytest

from sightline.diagnosis.probes.choices.items import alone
from sightline.diagnosis.probes.choices.paragraphs import word_count
from sightline.diagnosis.probes.drift.fact_pairs import fact_pairs
from sightline.diagnosis.probes.drift.swaps import BANDS
from sightline.tasks.corpora.policies import Policies, contradictions, restatements

pytestmark = pytest.mark.unchecked

CORPUS = Policies(seed=3)
INDICES = (4, 1, 7)


def made(*, seed=0, **limits):
    rng = np.random.default_rng(seed)
    return fact_pairs(CORPUS, "train", indices=INDICES, rng=rng, **limits)


@pytest.fixture(scope="module")
def texts():
    documents = CORPUS.documents("train")
    return [documents[index] for index in INDICES]


def place(item, text):
    """Where the two texts of an item part."""
    assert text.count(item.true[0]) == 1
    return text.index(item.true[0]) + len(item.true[0])


def test_every_restated_fact_may_be_asked_once(texts):
    """As many as the text is parsed to restate."""
    items = made(each=1000, most_words=10_000)
    for number, text in enumerate(texts):
        places = [place(item, text) for item in items if item.document == number]
        assert len(set(places)) == len(places)
        assert 0 < len(places) <= len({pair.later.start for pair in restatements(text)})
    few = Counter(item.document for item in made(each=2, most_words=10_000))
    assert few == {0: 2, 1: 2, 2: 2}


def test_the_kind_tells_how_far_back_the_fact_was_stated_last(texts):
    told = 0
    for item in made(each=1000, most_words=10_000):
        text = texts[item.document]
        at = place(item, text)
        # Of a word and its denial, the first is before the place.
        earlier = [
            pair.earlier.start
            for pair in restatements(text)
            if pair.later.start in (at, at + 1) and "polarity" not in item.kind
        ]
        if earlier:
            told += 1
            apart = word_count(text[max(earlier) : at])
            within = [f"< {limit} words" for limit in BANDS if apart < limit]
            expected = [*within, f"≥ {BANDS[-1]} words"][0]
            assert item.kind.split(", ")[1] == expected
    assert told > 10


@pytest.mark.parametrize("most_words", [30, 60, 120])
def test_what_tells_the_value_is_before_it_however_little_is(most_words, texts):
    items = made(each=1000, most_words=most_words)
    assert len(items) < len(made(each=1000, most_words=10_000))
    for item in items:
        assert word_count(item.true[0]) <= most_words
        needed = alone(item.true, item.needed)
        assert word_count(needed) <= most_words
        # Whole sentences that the false text contradicts, and the true one does not.
        assert needed[0].isupper() or needed[0].isdigit()
        assert contradictions(needed + item.false[1])
        assert not contradictions(needed + item.true[1])
