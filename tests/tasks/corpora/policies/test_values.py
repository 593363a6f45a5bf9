"""Values in words and in figures: how many there are, and how each is read."""

import re

import pytest

from sightline.tasks.corpora._policies import values
from sightline.tasks.corpora._policies.policy import KINDS
from sightline.tasks.corpora._policies.values import UNITS


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "zero"), (11, "eleven"), (19, "nineteen"), (20, "twenty"), (41, "forty-one"),
     (90, "ninety"), (99, "ninety-nine")],
)  # fmt: skip
def test_numbers_are_spelt_as_people_do(number, words):
    assert values.spell(number) == words


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("retention", "Forty-One Weeks", "41 weeks"),
        ("retention", "1,200 years", "1200 years"),
        ("amount", "eur 17,000", "EUR 17,000"),
        ("amount", "seventeen pounds", "GBP 17"),
        ("amount", "USD five", "USD 5"),
        ("amount", "1234567 dollars", "USD 1,234,567"),
        ("approval", "HEAD OF CONDUCT", "Head of Conduct"),
    ],
)
def test_values_are_read_in_any_case_and_form(kind, text, value):
    assert re.fullmatch(values.pattern(kind), text, re.IGNORECASE)
    assert values.read(kind, text) == value


def test_parts_are_as_many_as_they_are_meant_to_be():
    assert [len(part) for part in values.parts("amount", 7)] == [3, 7]
    assert values.parts("deadline", 2)[0] == ("11", "12")
    assert values.parts("amount", 2)[1] == ("11,000", "12,000")
    last = {kind: len(values.parts(kind, 5)[-1]) for kind in KINDS}
    assert last == dict.fromkeys(UNITS, 3) | {
        **{"amount": 5, "approval": 40},
        **{"permission": 2, "requirement": 2},
    }


def test_every_number_in_words_is_one_whole_word_or_two():
    whole = values.whole_words()
    assert len(set(whole)) == len(whole) == 2 * 17 + 9 + 6
    for number in range(11, 100):
        tens, hyphen, ones = values.spell(number).partition("-")
        assert {f" {tens}", tens.capitalize()} <= set(whole)
        assert not hyphen or f"-{ones}" in whole
    assert {" EUR", " euros", " USD", " dollars", " GBP", " pounds"} <= set(whole)
