"""Bags of words, and the linear model over them against its definition."""

import numpy as np
import pytest
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from sightline.tasks.corpora._policies.pairs import Choice
from sightline.tasks.corpora.policies import Policies, mentions
from sightline.tasks.shallow.bags import (
    bag_of_words,
    both_bags,
    one_bag,
    second_bag,
    shared,
    text_of,
    words,
)

PAIR = ("The cat saw the dog.", "A dog ran, ran!")


def test_words_marks_and_breaks_are_told_apart():
    text = "Well-known, 1,000 things!\n\nIt's all\nnaïve."
    assert words(text) == [
        *("well-known", ",", "1,000", "things", "!", "\n\n"),
        *("it", "'", "s", "all", "naïve", "."),
    ]
    assert text_of(["a", ",", "b", "(", "c", ";", "d", "."]) == "a, b ( c; d."


def test_words_joined_again_state_the_same_facts():
    """So that what a 5-gram model writes is read as what a model writes is."""
    for text in Policies().documents("validation")[:8]:
        joined = text_of(words(text))
        assert words(joined) == words(text)
        stated = [(m.kind, m.subject, m.value) for m in mentions(text)]
        assert [(m.kind, m.subject, m.value) for m in mentions(joined)] == stated


def test_bags_count_words_of_both_texts_of_the_second_or_of_all():
    first = {"the": 2, "cat": 1, "saw": 1, "dog": 1, ".": 1}
    second = {"a": 1, "dog": 1, "ran": 2, ",": 1, "!": 1}
    assert second_bag(PAIR) == second
    assert one_bag(PAIR) == {**first, **second, "dog": 2}
    assert both_bags(PAIR) == {
        **{f"1 {word}": count for word, count in first.items()},
        **{f"2 {word}": count for word, count in second.items()},
    }


def test_what_is_shared_is_in_the_order_of_the_text():
    """A set's order changes from process to process, and with it the sums of a fit."""
    found = shared(("one two three four", "four two six one"))
    assert list(found) == ["four", "two", "one", ""]
    # Three of four words, tenfold, so that the share is of the weight of ten words.
    assert found == {"four": 1, "two": 1, "one": 1, "": 7.5}
    assert shared(("one", "")) == {"": 0}


CAUSES = ("rain", "frost", "wind")


def choice(rng, *, signal):
    """The second text of the true pair names the cause in some of the choices."""
    noise = [" ".join(rng.choice(list("abcdefgh"), 5)) for _ in range(3)]
    cause = CAUSES[int(rng.integers(3))] if rng.random() < signal else ""
    return Choice((noise[0], f"{noise[1]} {cause}"), (noise[0], noise[2]))


@pytest.mark.parametrize("signal", [0.05, 0.9])
def test_the_fit_is_a_logistic_regression_of_the_strength_that_does_best(signal):
    """An oracle: each choice and its mirror, which need no intercept, of half weight.

    The strength is chosen on choices 0, 1, 8, 9, 16, … after a fit to the others.
    """
    rng = np.random.default_rng(5)
    fitted = [choice(rng, signal=signal) for _ in range(60)]
    vectorizer = DictVectorizer(sparse=False).fit(
        [second_bag(pair) for one in fitted for pair in one]
    )

    def differences(choices):
        true, false = (
            vectorizer.transform([second_bag(pair) for pair in pairs])
            for pairs in zip(*choices, strict=True)
        )
        return true - false

    def weights(choices, strength):
        rows = differences(choices)
        labels = np.repeat([1, 0], len(rows))
        model = LogisticRegression(C=strength / 2, fit_intercept=False, tol=1e-8)
        return model.fit(np.vstack([rows, -rows]), labels).coef_[0]

    tried = [c for n, c in enumerate(fitted) if n % 8 < 2]
    rest = [c for n, c in enumerate(fitted) if n % 8 >= 2]
    right = {
        strength: int((differences(tried) @ weights(rest, strength) > 0).sum())
        for strength in (0.001, 0.01, 0.1, 1.0)
    }
    best = max(right, key=right.__getitem__)  # the first of equals: the weakest
    expected = weights(fitted, best)
    score = bag_of_words(fitted, features=second_bag)
    for pair in (PAIR, *fitted[0], *fitted[1], ("", "rain rain frost")):
        value = vectorizer.transform([second_bag(pair)])[0] @ expected
        assert score(pair) == pytest.approx(value, abs=2e-3 * np.abs(expected).max())


def test_a_word_that_was_never_fitted_has_no_say():
    fitted = [Choice(("x", "yes"), ("x", "no"))] * 16
    score = bag_of_words(fitted, features=second_bag)
    assert score(("yes no", "perhaps")) == 0
    assert score(("x", "perhaps no")) == -score(("x", "yes, perhaps")) < 0
