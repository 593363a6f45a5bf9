"""Values that are found in a text, and where."""

import pytest
from hypothesis import given, settings, strategies as st

from sightline.diagnosis.probes.drift.stated_values import (
    POLES,
    content,
    opposite,
    rare_words,
    stated_values,
)
from sightline.diagnosis.probes.drift.swaps import sentences_of

pytestmark = pytest.mark.unchecked


def found(text, kind):
    values = stated_values(text, sentences_of(text))
    return [(value.value, value.shape) for value in values if value.kind == kind]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("In 2019, 17 lamps.", [("2019", "0000"), ("17", "00")]),
        ("It cost 21,000 or 3.5 in all.", [("21,000", "00,000"), ("3.5", "0.0")]),
        ("It ends with 8.", [("8", "0")]),
        ("(12) and 20% of it", [("12", "00"), ("20", "00")]),
        # Parts of a version, a time, a fraction, a code, a range.
        ("v2.1 at 10:30, 3/4 of A4, 5-6 and 7th", []),
        ("1.2.3 is one", [("1.2.3", "0.0.0")]),
    ],
)
def test_numbers_are_words_of_digits(text, numbers):
    assert found(text, "number") == numbers


@pytest.mark.parametrize(
    ("text", "poles"),
    [
        ("It must be so, and must not be so.", ["must", "must not"]),
        ("One can what one cannot; this is not one.", ["can", "cannot", "is not"]),
        ("Go with it or without it.", ["with", "without"]),
        ("An all-is-well is an island, and it iss.", ["is"]),
        ("Valid: invalid. MUST it?", ["invalid"]),
    ],
)
def test_polarity_is_of_whole_words_and_the_longest(text, poles):
    assert [value for value, _ in found(text, "polarity")] == poles


def test_a_pole_and_its_opposite_have_a_shape_that_no_other_has():
    words = [word for pair in POLES for word in pair]
    assert len(set(words)) == len(words)
    shapes = {}
    for word in words:
        assert opposite(opposite(word)) == word != opposite(word)
        ((_, shape),) = found(f"Here it {word} so.", "polarity")
        shapes.setdefault(shape, set()).add(word)
    assert list(shapes.values()) == [set(pair) for pair in POLES]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        # Known by its place inside a sentence, it is found at the beginning of one too.
        ("Bath is where Otter was. Otter slept long there.", ["Otter", "Otter"]),
        ("He met Heron Lamp and Bank of Bath.", ["Heron Lamp", "Bank of Bath"]),
        ("Of the Bath Bank and of Bath, once.", ["Bath Bank", "Bath"]),
        # What is written small as well is no name.
        ("Here the Lamp burns, and one lamp burns.", []),
        ("The Old Lamp burns where one lamp burns.", []),
        ("Here the Café is, and one café more.", []),
        ("Nothing is here. There is nothing.", []),
        ("It is Bath.org, not xBath or Baths, said Bath.", ["Baths", "Bath"]),
    ],
)
def test_names_are_capitalised_inside_a_sentence_and_nowhere_small(text, names):
    assert [value for value, _ in found(text, "entity")] == names


def test_names_of_as_many_words_and_the_same_case_have_one_shape():
    text = "He met Heron Lamp, NASA, Otter, Badger, UNO and Bank of Bath."
    heron, nasa, otter, badger, uno, bank = [
        shape for _, shape in found(text, "entity")
    ]
    assert otter == badger and nasa == uno
    assert len({heron, nasa, otter, bank}) == 4


WORDS = ("Otter", "Heron Lamp", "NASA", "the", "must", "must not", "is", "17", "2,000")


@given(st.lists(st.sampled_from([*WORDS, "old.", "now, ", "so."]), max_size=40))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_every_value_is_where_it_is_said_to_be(words):
    text = " ".join(["Here", *words])
    sentences = sentences_of(text)
    values = stated_values(text, sentences)
    assert values == sorted(values, key=lambda value: value.start)
    for value in values:
        assert text[value.start :].startswith(value.value)
        sentence = sentences[value.sentence]
        assert sentence.start <= value.start
        assert value.start + len(value.value) <= sentence.stop
    for kind, word in (("number", "17"), ("number", "2,000"), ("polarity", "must not")):
        told = [v for v in values if (v.kind, v.value) == (kind, word)]
        assert len(told) == words.count(word)


def test_content_is_long_words_without_digits_in_lower_case():
    text = "The Heron's café of 1234 lamps: under_score, ABC, x2yy, it is"
    assert content(text) == {"heron", "café", "lamps", "under", "score"}


def test_rare_words_are_in_a_tenth_of_the_texts_or_in_one():
    texts = [f"common {'heron heron' if n < 3 else ''}" for n in range(30)]
    texts[0] += " otter"
    assert rare_words(texts) == {"heron", "otter"}
    assert rare_words([*texts[:29], "common heron"]) == {"otter"}
    assert rare_words(["common heron", "common otter"]) == {"heron", "otter"}
    assert rare_words(texts, share=1.0) == {"common", "heron", "otter"}
