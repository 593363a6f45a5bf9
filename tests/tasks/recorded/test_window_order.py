"""The numbered windows of a task against a plain list of them."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from sightline.tasks.examples.windows import windows
from sightline.tasks.recorded.window_order import WindowOrder

CUT = {"window": 10, "smallest": 4}
LENGTHS = [25, 3, 0, 10, 41, 4, 7, 12, 1, 30, 9, 18]


def order(lengths=LENGTHS, *, task="a.causal", seed=0, **cut):
    return WindowOrder(task, np.array(lengths), seed=seed, **{**CUT, **cut})


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=8),
    st.integers(1, 6),
    st.integers(0, 12),
    st.data(),
)
def test_any_range_is_a_slice_of_all_windows_epoch_after_epoch(
    lengths, smallest, extra, data
):
    cut = {"window": smallest + extra, "smallest": smallest}
    expected = {
        (document, number, *span)
        for document, length in enumerate(lengths)
        for number, span in enumerate(windows(length, **cut))
    }
    assume(expected)
    found = order(lengths, **cut)
    assert found.per_epoch == len(expected)
    total = 3 * found.per_epoch
    whole = [found.range(n, n + 1)[0].tolist() for n in range(total)]
    for epoch in range(3):
        rows = whole[epoch * len(expected) : (epoch + 1) * len(expected)]
        assert {row[0] for row in rows} == {epoch}
        assert {tuple(row[1:]) for row in rows} == expected
        # The windows of a document come together, in the order of its text.
        runs = [list(run) for _, run in itertools.groupby(rows, key=lambda row: row[1])]
        assert len(runs) == len({row[1] for row in rows})
        assert all([row[2] for row in run] == list(range(len(run))) for run in runs)
    start = data.draw(st.integers(0, total))
    stop = data.draw(st.integers(start, total))
    assert order(lengths, **cut).range(start, stop).tolist() == whole[start:stop]


@pytest.mark.parametrize("other", [{"task": "a.masked"}, {"seed": 1}, {"seed": -1}])
def test_tasks_seeds_and_epochs_have_orders_of_their_own(other):
    size = order().per_epoch
    first = order().range(0, size)[:, 1:]
    assert order().range(size, 2 * size)[:, 1:].tolist() != first.tolist()
    assert order(**other).range(0, size)[:, 1:].tolist() != first.tolist()
    assert order().range(0, 0).shape == (0, 5)
