"""Paragraphs of words of their own, of which no item is dropped for its overlap."""

from collections import Counter

import numpy as np
import pytest

from sightline.diagnosis.probes.drift.jump_ahead import AHEAD, jump_ahead

pytestmark = pytest.mark.unchecked

COUNT, LETTERS = 11, "abcdefghijk"


def paragraph(n, words=12):
    """Of letters alone: digits and marks would be words that others have too."""
    letter = LETTERS[n]
    inner = (f"w{letter}{LETTERS[k // 9]}{LETTERS[k % 9]}" for k in range(words - 2))
    return " ".join([f"First{letter}", *inner, f"end{letter}"])


def items_of(sizes, *, seed=0, **limits):
    text = "\n\n".join(paragraph(n, words) for n, words in enumerate(sizes))
    rng = np.random.default_rng(seed)
    return text, jump_ahead([text], rng, **limits)


def number(text):
    """Of the paragraph that a text begins with."""
    return LETTERS.index(text.split()[0].removeprefix("First"))


def test_every_next_paragraph_is_asked_but_none_against_the_last():
    text, items = items_of([12] * COUNT, each=100)
    asked = {kind: set() for kind in AHEAD}
    for item in items:
        before, true = item.true
        at, ahead = number(true), number(item.false[1])
        assert text == before + text[len(before) :] and item.false[0] == before
        assert before.split()[-1] == f"end{LETTERS[at - 1]}"
        k = int(item.kind.split()[0])
        assert ahead - (at - 1) == k
        asked[k].add(at)
    assert asked == {k: set(range(1, COUNT - k)) for k in AHEAD}


def test_at_most_so_many_are_of_a_document_and_distance():
    _, items = items_of([12] * COUNT, each=3)
    counts = {"2 ahead": 3, "4 ahead": 3, "8 ahead": 2}
    assert Counter(item.kind for item in items) == counts
    places = {
        number(i.true[1]) for s in range(9) for i in items_of([12] * 11, seed=s)[1]
    }
    assert places == set(range(1, 9))


def test_paragraphs_are_cut_to_the_shorter_and_too_short_ones_left_out():
    sizes = [12, 10, 30, 7, 8, 12, 12, 12, 12]
    _, items = items_of(sizes, each=100, most_after=20)
    for item in items:
        pair = [number(item.true[1]), number(item.false[1])]
        assert 3 not in pair
        shown = min(20, *(sizes[n] for n in pair))
        assert len(item.true[1].split()) == len(item.false[1].split()) == shown
    shown = {len(item.true[1].split()) for item in items}
    assert {8, 10, 12} <= shown
    _, items = items_of([40] * 6, each=100, most_after=20)
    assert items and all(len(item.true[1].split()) == 20 for item in items)


def test_what_is_before_is_its_last_sentences():
    _, items = items_of([12] * COUNT, each=100, most_words=25)
    for item in items:
        words = item.true[0].split()
        at = number(item.true[1])
        assert len(words) == min(24, 12 * at) and words[-1] == f"end{LETTERS[at - 1]}"
        assert words[0] == f"First{LETTERS[max(0, at - 2)]}"
