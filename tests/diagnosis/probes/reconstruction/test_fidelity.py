"""Fidelity: against recursive definitions, and on texts whose facts are plain."""

import functools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.diagnosis.probes.reconstruction import fidelity

few = st.lists(st.integers(0, 3), max_size=9)


def array(listed):
    return np.array(listed, np.int32)


def slow_distance(a, b):
    @functools.cache
    def distance(i, j):
        if not i or not j:
            return i + j
        same = a[i - 1] == b[j - 1]
        return min(
            distance(i - 1, j) + 1,
            distance(i, j - 1) + 1,
            distance(i - 1, j - 1) + (not same),
        )

    return distance(len(a), len(b))


def slow_common(a, b):
    @functools.cache
    def common(i, j):
        if not i or not j:
            return 0
        if a[i - 1] == b[j - 1]:
            return 1 + common(i - 1, j - 1)
        return max(common(i - 1, j), common(i, j - 1))

    return common(len(a), len(b))


@settings(max_examples=300, deadline=None)
@given(a=few, b=few)
def test_rows_are_the_recursive_definitions(a, b):
    assert fidelity.edit_distance(array(a), array(b)) == slow_distance(a, b)
    assert fidelity.common_length(array(a), array(b)) == slow_common(a, b)


@settings(max_examples=100, deadline=None)
@given(a=few, b=few, c=few.filter(bool))
def test_every_measure_is_a_share(a, b, c):
    found = fidelity.measure(array(a), array(b), untouched=array(c))
    assert all(0 <= value <= 1 for value in found)
    assert found.exact == (a == b) == (found.distance == 0)
    assert found.copy_recall == slow_common(a, c) / len(c)
    too_many = sum(max(0, a.count(t) - b.count(t)) for t in set(a))
    assert found.unsupported == too_many / max(len(a), 1)


@given(original=few.filter(bool), places=st.data())
def test_the_original_is_perfect_and_nothing_is_worst(original, places):
    kept = [t for t in original if places.draw(st.booleans())] or original[:1]
    perfect = fidelity.Fidelity(1.0, 0.0, 1.0, 1.0, 0.0)
    whole, kept = array(original), array(kept)
    assert fidelity.measure(whole, whole, untouched=kept) == perfect
    worst = fidelity.Fidelity(0.0, 1.0, 0.0, 0.0, 0.0)
    assert fidelity.measure(array([]), whole, untouched=kept) == worst


def test_recall_is_of_the_untouched_and_precision_of_the_output():
    output, original = array([1, 2, 9, 9, 3]), array([1, 2, 3, 4])
    found = fidelity.measure(output, original, untouched=array([1, 4]))
    assert found.copy_recall == 1 / 2
    assert found.copy_precision == 3 / 5
    assert found.unsupported == 2 / 5
    assert found.distance == 3 / 5


def test_nothing_untouched_is_nothing_to_recall():
    one = array([1])
    assert np.isnan(fidelity.measure(one, one, untouched=array([])).copy_recall)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("The fee is USD 43,000.", {"USD": 1, "43,000": 1}),
        ("At 12:30 we saw 3.5 and 3.", {"12:30": 1, "3.5": 1, "3": 1}),
        ("First. Second! Third? fourth", {}),
        ('It is "over." Then Anna left (Bob too).', {"Anna": 1, "Bob": 1}),
        ('"Stop", said O’Neill\nThen Ann-Marie', {"O’Neill": 1, "Ann-Marie": 1}),
        ("Of Ann and Ann, and Ärzte", {"Ann": 2, "Ärzte": 1}),
        ("in v2 and no3", {}),
    ],
)
def test_facts_are_numbers_and_names(text, expected):
    assert fidelity.facts(text) == Counter(expected)


def test_f1_is_of_multisets_and_pooled():
    swapped = fidelity.fact_counts(
        "we pay 5 to Bob, 7 to Al", "we pay 7 to Al, 5 to Bob"
    )
    assert swapped.tolist() == [4, 4, 4]
    once = fidelity.fact_counts("pay 5 and 5 and 6", "pay 5 and 7")
    assert once.tolist() == [1, 3, 2]
    both = fidelity.fact_f1(np.stack([swapped, once]))
    assert both(np.array([1])) == 2 * 1 / 5
    assert both(np.array([0, 1])) == 2 * 5 / 13
    assert np.isnan(fidelity.fact_f1(np.zeros((2, 3), np.int64))(np.array([0, 1])))


def test_fluent_but_unfaithful_needs_both():
    original = np.full(5, 2.0)
    output = np.array([1.5, 2.25, 2.75, 2.0, np.nan])
    distance = np.array([0.5, 0.5, 0.5, 0.25, 1.0])
    found = fidelity.fluent_but_unfaithful(
        output, original, distance, margin=0.25, threshold=0.25
    )
    assert found.tolist() == [True, True, False, False, False]
