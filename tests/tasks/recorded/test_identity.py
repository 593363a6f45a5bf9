"""What differs between two recipes, and their digests."""

import json

import pytest
from hypothesis import given, strategies as st

from sightline.tasks.recorded.identity import differences, digest_of

plain = st.recursive(
    st.integers() | st.text(max_size=3) | st.none() | st.booleans(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("before", "now", "lines"),
    [
        (1, 1, []),
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"b": 2}, ["a: 1, now nothing", "b: nothing, now 2"]),
        ({"a": {"b": [1]}}, {"a": {"b": [2]}}, ["a.b: [1], now [2]"]),
        ({"a": {}}, {"a": {"b": None}}, ["a.b: nothing, now None"]),
        ({"a": {"b": 1}}, {"a": 2}, ["a: {'b': 1}, now 2"]),
    ],
)
def test_each_difference_is_a_line_with_its_place(before, now, lines):
    assert differences(before, now) == lines


@given(plain, plain)
def test_values_without_a_difference_have_one_digest(one, other):
    # Through text, where True is no 1 as it is in Python.
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (digest_of(one) == digest_of(other)) == same
    assert not differences(one, one)


def test_a_digest_is_that_of_the_sorted_text():
    # sha256sum of {"a": [1, null], "b": "x"}
    expected = "2742c95f2d00ab3d46d73f207ea7e5fe34f4c1a1877c7a68fbe79d90921ed15a"
    assert digest_of({"b": "x", "a": [1, None]}) == expected
