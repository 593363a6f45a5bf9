"""Scores at each level of a test, against sums over questions one at a time."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.diagnosis.probes.published.levels import groups_of, levels, mean_of
from sightline.diagnosis.probes.published.published import catalogued
from sightline.diagnosis.probes.published.published_test import Measured, Question

BY_GROUPS = catalogued()["BLiMP"]._replace(levels=("paradigm", "field"))
BY_ITEMS = BY_GROUPS._replace(average="items")

ASKED = st.lists(
    st.tuples(
        st.sampled_from([("a1", "a"), ("a2", "a"), ("b1", "b")]),
        st.none() | st.floats(0, 1),
        st.integers(1, 5),
    ),
    min_size=1,
    max_size=9,
)


def asked(rows):
    """Questions of some kinds, and what was measured of each; None did not fit."""
    questions = [Question(kinds, (("", "x"), ("", "y"))) for kinds, _, _ in rows]
    amounts = [math.nan if amount is None else amount for _, amount, _ in rows]
    sizes = np.array([float(size) for *_, size in rows])
    return questions, Measured("m", np.array(amounts), sizes)


def slow(rows, *, by_groups):
    """The ratio of sums over rows that fit; of groups, the mean of theirs."""
    rows = [row for row in rows if row[1] is not None]
    parts = [rows]
    if by_groups:
        parts = [[r for r in rows if r[0] == k] for k in {r[0] for r in rows}]
    ratios = [sum(r[1] for r in part) / sum(r[2] for r in part) for part in parts]
    return sum(ratios) / len(ratios)


@given(rows=ASKED, by_groups=st.booleans())
@settings(max_examples=40, deadline=None)
def test_values_are_those_of_a_loop_over_questions(rows, by_groups):
    questions, measured = asked(rows)
    test = BY_GROUPS if by_groups else BY_ITEMS
    for level in levels(test, questions, measured, seed=0):
        depth = {"paradigm": 0, "field": 1}.get(level.level)
        own = [r for r in rows if depth is None or r[0][depth] == level.kind]
        fitting = [r for r in own if r[1] is not None]
        assert (level.items, level.left_out) == (len(fitting), len(own) - len(fitting))
        assert level.asked.sum() == level.items
        if fitting:
            expected = slow(own, by_groups=by_groups)
            assert level.value == pytest.approx(expected)
            assert level.low <= level.high
        else:
            assert all(map(math.isnan, level[2:5]))


def test_all_come_first_and_then_the_coarsest_kinds_in_the_order_of_questions():
    rows = [(kinds, 1.0, 1) for kinds in (("b1", "b"), ("a1", "a"), ("a2", "a"))]
    found = levels(BY_GROUPS, *asked(rows), seed=0)
    assert [level[:2] for level in found] == [
        ("all", "all"),
        *(("field", "b"), ("field", "a")),
        *(("paradigm", "b1"), ("paradigm", "a1"), ("paradigm", "a2")),
    ]


@pytest.mark.parametrize(
    ("groups", "width"),
    [
        # √(p (1 - p) / n) of 400 of a half; of two groups of 400, by √2 less.
        (1, 0.5 / 20),
        (2, 0.5 / 20 / math.sqrt(2)),
    ],
)
def test_an_interval_is_as_wide_as_its_questions_make_it(groups, width):
    kinds = [
        ((f"g{group}", "f"), n % 2, 1) for group in range(groups) for n in range(400)
    ]
    for test in (BY_GROUPS, BY_ITEMS):
        first = next(levels(test, *asked(kinds), seed=0))
        assert first.high - first.low == pytest.approx(2 * 1.96 * width, rel=0.1)


def test_groups_keep_their_sizes_so_that_what_differs_between_them_is_no_error():
    rows = [(("a1", "a"), 1.0, 1)] * 5 + [(("b1", "b"), 0.0, 1)] * 3
    for test, value in ((BY_GROUPS, 1 / 2), (BY_ITEMS, 5 / 8)):
        first = next(levels(test, *asked(rows), seed=0))
        assert first[2:5] == pytest.approx((value, value, value))


def test_intervals_are_of_the_seed():
    rows = [(("a1", "a"), n / 7, 1) for n in range(7)]
    found = [next(levels(BY_GROUPS, *asked(rows), seed=s))[3:5] for s in (0, 0, 1)]
    assert found[0] == found[1] != found[2]


@given(rows=ASKED, by_groups=st.booleans(), data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_mean_of_some_questions_is_that_of_a_loop(rows, by_groups, data):
    rows = [(kinds, amount or 0.0, 1) for kinds, amount, _ in rows]
    flags = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    questions, measured = asked(rows)
    found = mean_of(
        BY_GROUPS if by_groups else BY_ITEMS,
        groups_of(questions),
        measured.amount,
        np.array(flags),
    )
    some = [row for row, flag in zip(rows, flags, strict=True) if flag]
    if not some:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(slow(some, by_groups=by_groups))
