"""The 5-gram model against its definition, and what is drawn against what is scored."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from sightline.tasks.shallow.ngram import Ngrams

texts = st.lists(st.text("abcd", max_size=12), min_size=1, max_size=4)


def probability(language, word, before):
    return math.exp(language.log_probability([word], list(before)))


def by_definition(documents, word, before):
    """The recursion of Chen and Goodman, over runs that are counted by looking."""

    def followers(run):
        found = Counter()
        for text in documents:
            for at in range(len(text) - len(run)):
                if text[at : at + len(run)] == run:
                    found[text[at + len(run)]] += 1
        return found

    shorter = 1 / (1 + len(followers("")))
    for length in range(min(4, len(before)) + 1):
        after = followers(before[len(before) - length :])
        if not after:
            break
        kept = max(after[word] - 0.75, 0) / after.total()
        shorter = kept + 0.75 * len(after) / after.total() * shorter
    return shorter


@settings(max_examples=60, deadline=None)
@given(texts, st.text("abcdz", max_size=7))
def test_probabilities_are_those_of_the_definition(documents, before):
    language = Ngrams(map(list, documents))
    for word in "abcdz":
        expected = by_definition(documents, word, before)
        assert probability(language, word, before) == pytest.approx(expected)


def test_a_probability_worked_by_hand():
    # b: (1 - 3/4) / 4 + 3/4 · 3/4 · 1/4, and after a: (1 - 3/4) / 2 + 3/4 · that.
    language = Ngrams([["a", "b"], ["a", "c"]])
    assert probability(language, "b", "") == pytest.approx(0.203125)
    assert probability(language, "b", "a") == pytest.approx(0.27734375)


def test_four_words_before_count_and_a_fifth_does_not():
    fourth = Ngrams(map(list, ["abcdp", "xbcdq"]))
    assert probability(fourth, "p", "abcd") > probability(fourth, "p", "xbcd")
    fifth = Ngrams(map(list, ["xabcdp", "yabcdq"]))
    assert probability(fifth, "p", "xabcd") == probability(fifth, "p", "yabcd")


@given(texts, st.text("abcd", max_size=5), st.text("abcd", min_size=2, max_size=6))
@settings(max_examples=30, deadline=None)
def test_words_are_scored_one_after_another(documents, before, following):
    language = Ngrams(map(list, documents))
    one_by_one = sum(
        language.log_probability([word], list(before + following[:at]))
        for at, word in enumerate(following)
    )
    whole = language.log_probability(list(following), list(before))
    assert whole == pytest.approx(one_by_one)


@settings(max_examples=30, deadline=None)
@given(texts, st.text("abcdz", max_size=5))
def test_a_distribution_has_room_for_one_unknown_word(documents, before):
    language = Ngrams(map(list, documents))
    words = {*"".join(documents), "never seen"}
    total = sum(probability(language, word, before) for word in words)
    assert total == pytest.approx(1)


@pytest.mark.parametrize("before", ["", "c", "ab", "zzab", "abcabcab", "q"])
def test_words_are_drawn_as_often_as_they_are_likely(before):
    """None is drawn that is unknown: the words share its chance alike."""
    language = Ngrams([list("abcabcabd"), list("aaaaaaa")])
    rng = np.random.default_rng(len(before))
    drawn = Counter(language.draw(list(before), rng) for _ in range(3000))
    spare = probability(language, "unknown", before) / 4
    expected = [3000 * (probability(language, w, before) + spare) for w in "abcd"]
    assert sum(expected) == pytest.approx(3000)
    found = stats.chisquare([drawn[word] for word in "abcd"], expected)
    assert found.pvalue > 1e-4
