"""Texts with open slots: their blocks, and what is refused at each border."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.models.decoding.canvas import (
    Canvas,
    block_ends,
    canvas,
    canvas_stream,
    check_blocks,
    check_canvas,
)
from sightline.objectives.errors import UsageError


@given(st.integers(0, 12), st.integers(1, 5), st.none() | st.integers(0, 7))
def test_a_slot_sees_up_to_the_end_of_its_block(length, block, first):
    """Blocks are laid one after another, until the row is full."""
    ends, start, size = [], 0, block if first is None else first
    while start < length:
        end = min(start + size, length)
        ends += [end] * (end - start)
        start, size = end, block
    assert block_ends(length, block=block, first=first).tolist() == ends


def test_a_block_has_a_slot_at_least():
    with pytest.raises(UsageError, match="block is 0"):
        block_ends(4, block=0)


def rows(*sizes, visible_to=None, open=()):
    """A canvas of rows of these lengths in six slots, token n at slot n."""
    opened = [np.isin(np.arange(size), open) for size in sizes]
    tokens = [np.arange(size) for size in sizes]
    return canvas(tokens, open=opened, slots=6, visible_to=visible_to)


def test_rows_are_padded_and_the_padding_sees_nothing():
    stream = canvas_stream(rows(2, 6, open=[1])._replace(tokens=np.full((2, 6), 7)))
    assert stream.tokens.tolist() == [[7, 7, 0, 0, 0, 0], [7] * 6]
    assert stream.positions.tolist() == [[1, 2, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6]]
    assert stream.visible_to.tolist() == [[2, 2, 0, 0, 0, 0], [6] * 6]
    assert rows(2, 6, open=[1]).open.tolist() == [
        [False, True, *[False] * 4],
        [False, True, *[False] * 4],
    ]


def check(made: Canvas, *, vocabulary_size=9, shift=False):
    check_canvas(made, vocabulary_size=vocabulary_size, shift=shift)


def changed(field, value, at):
    made = rows(3, 6)
    array = getattr(made, field).copy()
    array[at] = value
    return made._replace(**{field: array})


@pytest.mark.parametrize(
    ("field", "at", "fits", "wrong", "message"),
    [
        ("lengths", 1, 6, 7, r"lengths\[1\] is 7; set it within \[0, 6\]"),
        ("lengths", 1, 0, -1, r"lengths\[1\] is -1"),
        ("tokens", (0, 2), 8, 9, r"tokens\[0, 2\] is 9, .* ids in \[0, 9\)"),
        ("tokens", (1, 5), 0, -1, r"tokens\[1, 5\] is -1"),
        ("visible_to", (0, 1), 3, 4, r"visible_to\[0, 1\] is 4; .* within \[1, 3\]"),
        ("visible_to", (0, 2), 1, 0, r"visible_to\[0, 2\] is 0"),
    ],
)
def test_values_fit_up_to_the_last_one(field, at, fits, wrong, message):
    good, bad = changed(field, fits, at), changed(field, wrong, at)
    check(good)
    with pytest.raises(UsageError, match=message):
        check(bad)


def test_what_stands_in_the_padding_is_never_read():
    check(changed("tokens", 99, (0, 3)))
    check(changed("visible_to", 99, (0, 3)))
    with pytest.raises(UsageError, match=r"open\[0, 3\] is set behind the row's 3"):
        check(changed("open", True, (0, 3)))
    check(changed("open", True, (0, 2)))


def test_the_first_slot_is_open_only_where_slots_predict_themselves():
    first = changed("open", True, (1, 0))
    check(first)
    with pytest.raises(UsageError, match=r"open\[1, 0\] .* begin the row with BOS"):
        check(first, shift=True)
    check(changed("open", True, (1, 1)), shift=True)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 6))
@settings(max_examples=40, deadline=None)
def test_blocks_one_after_another_are_blocks(length, block, first):
    ends = block_ends(length, block=block, first=first)
    made = rows(length, visible_to=[ends], open=range(first, length))
    check_blocks(made, block=block)
    check_blocks(made, block=None)


@pytest.mark.parametrize(
    ("ends", "slot"),
    [([2, 3, 3], 0), ([1, 3, 2], 1), ([3, 3, 2], 0), ([1, 1, 3], 1), ([2, 2, 2], 2)],
)
def test_slots_of_no_block_are_named(ends, slot):
    made = rows(2, 3, visible_to=[np.array([2, 2]), np.array(ends)])
    with pytest.raises(UsageError, match=f"slot {slot} of row 1 sees up to slot"):
        check_blocks(made, block=None)


def test_only_blocks_with_open_slots_have_a_size():
    """A prompt of four slots may be one block; what is to be filled may not."""
    ends = [np.array([4, 4, 4, 4, 6, 6])]
    check_blocks(rows(6, visible_to=ends, open=[4, 5]), block=2)
    check_blocks(rows(6, visible_to=ends, open=[3]), block=4)
    with pytest.raises(UsageError, match=r"0 to 3 of row 0 are a block of 4; set bl"):
        check_blocks(rows(6, visible_to=ends, open=[3]), block=3)
    # Also behind the first of them that is open.
    later = [np.array([1, 2, 6, 6, 6, 6])]
    with pytest.raises(UsageError, match="slots 2 to 5 of row 0 are a block of 4"):
        check_blocks(rows(6, visible_to=later, open=[1]), block=3)
