import math

import pytest

from sightline.tasks.corpora.policies import Policies, mentions
from sightline.tasks.shallow.bags import shared, text_of, words
from sightline.tasks.shallow.ngram import Ngrams


def test_ngrams_are_a_distribution_and_find_a_collocation():
    language = Ngrams([list("abcabcabd"), list("bca")])
    for before in ("", "a", "ab", "cab", "zz"):
        total = sum(
            math.exp(language.log_probability([word], list(before))) for word in "abcd"
        )
        rest = math.exp(language.log_probability(["never seen"], list(before)))
        assert total + rest == pytest.approx(1)
    likely = language.log_probability(["c"], list("ab"))
    assert likely > language.log_probability(["d"], list("ab"))


def test_words_joined_again_state_the_same_facts():
    """So that what a 5-gram model writes is read as what a model writes is."""
    for text in Policies().documents("validation")[:8]:
        joined = text_of(words(text))
        assert words(joined) == words(text)
        stated = [(m.kind, m.subject, m.value) for m in mentions(text)]
        assert [(m.kind, m.subject, m.value) for m in mentions(joined)] == stated


def test_what_is_shared_is_in_the_order_of_the_text():
    """A set's order changes from process to process, and with it the sums of a fit."""
    assert list(shared(("one two three four", "four two six one"))) == [
        "four",
        "two",
        "one",
        "",
    ]
