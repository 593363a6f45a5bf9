"""Shallow baselines of published tests, on questions whose clue is known."""

import numpy as np
import pytest

from sightline.diagnosis.probes.choices.shallow import LEAST
from sightline.diagnosis.probes.published.published_test import Question
from sightline.diagnosis.probes.published.shallow import (
    of_choices,
    of_choices_and_words,
    of_last_words,
)


def choice(*candidates, answer=0):
    pairs = (c if isinstance(c, tuple) else ("", c) for c in candidates)
    return Question(("",), tuple(pairs), answer)


def test_the_shorter_text_is_that_of_fewer_characters_of_both_parts():
    questions = [
        choice("abc", "abcd"),
        choice("abcd", "abc"),
        choice("abc", "abd"),
        choice("abcd", "abc", "abcde", answer=1),
        choice(("abc", "d"), ("a", "bcde")),
        choice(("abcd", "e"), ("a", "bc")),
    ]
    found = of_choices(questions, ())
    assert set(found) == {"shorter"}
    np.testing.assert_array_equal(found["shorter"], [1, 0, 0.5, 1, 1, 0])


def test_words_are_counted_alone_and_in_their_order():
    """Of the same words the order tells, to what sees it."""
    texts = ["the cat sat on the mat", "the dog sat on the mat"]
    found = of_choices(
        [choice("the cat sat on", "on sat cat the"), choice("cat cat", "zebra zebra")],
        texts,
    )
    np.testing.assert_array_equal(found["unigram"], [0.5, 1])
    np.testing.assert_array_equal(found["5-gram"], [1, 1])


def test_the_whole_text_is_scored_the_beginning_too():
    """What differs stands in the first of the two parts."""
    texts = ["the cat sat on the mat"]
    question = choice(("the cat", " sat"), ("the mat", " sat"))
    assert of_choices([question], texts)["5-gram"].tolist() == [1]
    assert of_choices([question], texts)["unigram"].tolist() == [0.5]


def test_language_models_are_of_the_texts_that_are_given_last():
    question = choice("red red", "blue blue")
    for texts, right in ((["red", "red"], 1), (["blue", "blue"], 0)):
        assert of_choices([question], texts)["unigram"].tolist() == [right]


def test_a_bag_is_fitted_to_the_other_half_of_the_questions():
    """Whose clue is the opposite: with its own half it would get all right."""
    clues = [("yes", "no"), ("no", "yes")]
    questions = [choice(*clues[n % 2]) for n in range(2 * LEAST)]
    assert of_choices_and_words(questions, ())["bag of words"].tolist() == [0] * len(
        questions
    )
    alike = [choice("yes", "no") for _ in questions]
    assert of_choices_and_words(alike, ())["bag of words"].tolist() == [1] * len(alike)


def test_a_bag_learns_from_every_wrong_answer_and_the_text_before():
    """The ending that is right is told by the story, or there is no clue."""
    questions = [choice(*[("sun", f" {w}") for w in ("dry", "wet", "odd")])] * 2 * LEAST
    moved = [
        q._replace(candidates=(q.candidates[2], *q.candidates[:2]), answer=1)
        for q in questions
    ]
    for given in (questions, moved):
        assert of_choices_and_words(given, ())["bag of words"].tolist() == [1] * len(
            given
        )
    # Of the words of the texts before, too, where there are some.
    told = [
        choice((f"true {n}", " end"), (f"false {n}", " end")) for n in range(2 * LEAST)
    ]
    assert of_choices_and_words(told, ())["bag of words"].mean() == 1


def test_few_questions_have_no_bag():
    few = [choice("yes", "no")] * (2 * LEAST - 1)
    assert set(of_choices_and_words(few, ())) == {"shorter"}
    assert set(of_choices_and_words([*few, few[0]], ())) == {"shorter", "bag of words"}


@pytest.mark.parametrize(
    ("before", "after", "word", "capitalised"),
    [
        ("Ann saw (Bob). “Bob,” she said", " Bob", 2 / 6, 2 / 3),
        ("it was late — so late", " late", 2 / 5, 0),
        ("it was late", " Never", 0, 0),
        ("— …", " word", 0, 0),
    ],
)
def test_a_random_word_of_the_passage_is_right_by_its_share(
    before, after, word, capitalised
):
    found = of_last_words([choice((before, after))], ["texts are not read"])
    assert found["random word"].tolist() == [word]
    assert found["random capitalised word"].tolist() == [capitalised]


def test_two_texts_of_a_tie_are_right_by_half():
    found = of_choices([choice("same", "same")], ["same"])
    assert {name: share.tolist() for name, share in found.items()} == {
        name: [0.5] for name in ("shorter", "unigram", "5-gram")
    }
