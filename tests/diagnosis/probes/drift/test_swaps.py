"""Sentences with their places, and the items of values that are swapped there."""

import pytest
from hypothesis import given, settings, strategies as st

from sightline.diagnosis.probes.choices.items import alone
from sightline.diagnosis.probes.drift.swaps import (
    Swap,
    band,
    sentence_at,
    sentences_of,
)

pytestmark = pytest.mark.unchecked

PIECES = ("a", "Bird", "sings", "here.", "Not!", "“So?”", "\n\n", "\n", "etc.", "12")


@given(st.lists(st.sampled_from(PIECES), max_size=40))
@settings(deadline=None, max_examples=80, derandomize=True)
def test_places_and_words_of_sentences_are_those_of_the_text(pieces):
    text = " ".join(pieces)
    located = sentences_of(text)
    ends = [sentence.stop for sentence in located]
    assert ends[-1:] == [len(text)][: len(ends)] and ends == sorted(ends)
    for before, sentence in zip([0, *ends], located, strict=False):
        assert not text[before : sentence.start].strip()
        assert sentence.words == len(text[: sentence.start].split())
        assert sentence.start == sentence.stop or not text[sentence.start].isspace()
        for at in range(sentence.start, sentence.stop):
            assert sentence_at(located, at) == sentence


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (0, "< 64 words"),
        (63, "< 64 words"),
        (64, "< 256 words"),
        (255, "< 256 words"),
        (256, "≥ 256 words"),
    ],
)
def test_bands_hold_their_lower_limit(words, name):
    assert band(words) == name


TEXT = (
    "The heron lamp burns for 12 hours. The badger lamp burns for 34 hours. Nothing "
    "else is said of them here.  Again, the heron lamp goes out after 12 hours of use."
)


def swap(true="12", false="34", after="out after "):
    sentences = sentences_of(TEXT)
    start = TEXT.index(after) + len(after)
    earlier = TEXT.index("12")
    own = sentence_at(sentences, start)
    return Swap("number", start, true, false, earlier, sentences[0], own)


def test_the_texts_part_at_the_value_and_tell_what_is_needed_and_begun():
    item = swap().item(7, TEXT, most_words=400)
    before = TEXT[: TEXT.index(" 12 hours of use")]
    assert item.true == (before, " 12 hours of use.")
    assert item.false == (before, " 34 hours of use.")
    assert alone(item.true, item.local) == "Again, the heron lamp goes out after"
    assert alone(item.true, item.needed) == before
    assert (item.document, item.kind, item.right) == (7, "number, < 64 words", 0)


def test_what_is_before_is_cut_to_whole_sentences():
    item = swap().item(0, TEXT, most_words=14)
    assert item.true[0] == (
        "Nothing else is said of them here.  Again, the heron lamp goes out after"
    )
    assert item.needed == len(item.true[0])  # no more than is there
    assert alone(item.true, item.local) == "Again, the heron lamp goes out after"
    # Of a sentence that is too long its last words.
    item = swap().item(0, TEXT, most_words=3)
    assert item.true[0] == "goes out after" and item.local == len(item.true[0])


@pytest.mark.parametrize("denies", [False, True])
def test_what_both_values_begin_with_is_before(denies):
    text = f"Here the lamp is{' not' if denies else ''} lit by hand."
    true, false = ("is not", "is") if denies else ("is", "is not")
    (sentence,) = sentences_of(text)
    made = Swap("polarity", text.index("is"), true, false, 0, sentence, sentence)
    item = made.item(0, text, most_words=9)
    affirms, denial = " lit by hand.", " not lit by hand."
    assert item.true[0] == item.false[0] == "Here the lamp is"
    after = (denial, affirms) if denies else (affirms, denial)
    assert (item.true[1], item.false[1]) == after


def test_a_value_that_begins_its_sentence_leaves_nothing_begun():
    text = "Here are 12 of them in all. 12 are enough."
    sentences = sentences_of(text)
    made = Swap("number", text.rindex("12"), "12", "34", 9, *sentences)
    item = made.item(0, text, most_words=9)
    assert item.true == ("Here are 12 of them in all.", " 12 are enough.")
    assert item.local == 0 and item.needed == len(item.true[0])


def test_of_what_follows_at_most_24_words_are_shown():
    text = f"Here are 12 {' '.join(f'w{n}' for n in range(40))}."
    (sentence,) = sentences_of(text)
    made = Swap("number", text.index("12"), "12", "34", 0, sentence, sentence)
    item = made.item(0, text, most_words=9)
    assert item.true[1].split() == ["12", *(f"w{n}" for n in range(23))]
    assert item.false[1].split() == ["34", *(f"w{n}" for n in range(23))]
