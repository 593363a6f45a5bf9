"""The order of rows: exact shares, whole epochs, no matter where it is read from."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.tasks.recorded.order import RowOrder, row_shares

pytestmark = pytest.mark.unchecked

shares = st.lists(st.floats(0.001, 1), min_size=1, max_size=6)


def order(phases, sizes, seed=0):
    names = [f"g{n}" for n in range(len(sizes))]
    return RowOrder(phases, sizes, seed=seed, names=names)


def pairs(places):
    return list(zip(places.group.tolist(), places.row.tolist(), strict=True))


@settings(max_examples=60, deadline=None)
@given(shares, st.integers(0, 10**9), st.integers(1, 200))
def test_shares_hold_after_any_number_of_rows(values, start, count):
    found = order({0: values}, [10**12] * len(values))
    had = Counter(found.places(start, start + count).group.tolist())
    for group, value in enumerate(values):
        assert abs(had[group] - count * value / sum(values)) <= 2


@settings(max_examples=15, deadline=None)
@given(shares, st.integers(1, 80), st.data())
def test_rows_do_not_depend_on_where_reading_begins_or_how_it_is_split(
    values, count, data
):
    sizes = [7 + 3 * n for n in range(len(values))]
    phases = {0: values, 40: values[::-1]}
    whole = pairs(order(phases, sizes).places(0, count))
    start = data.draw(st.integers(0, count))
    stop = data.draw(st.integers(start, count))
    again = order(phases, sizes)
    assert pairs(again.places(start, stop)) == whole[start:stop]
    assert [pairs(again.places(n, n + 1))[0] for n in range(count)] == whole


@pytest.mark.parametrize("phases", [{0: [3, 2]}, {0: [3, 1], 25: [1, 5], 77: [0, 1]}])
def test_every_row_once_an_epoch_also_across_phases(phases):
    sizes = [11, 8]
    found = pairs(order(phases, sizes).places(0, 200))
    epochs = []
    for group, size in enumerate(sizes):
        rows = [row for g, row in found if g == group]
        whole = [rows[n : n + size] for n in range(0, len(rows) - size + 1, size)]
        assert whole and all(sorted(epoch) == list(range(size)) for epoch in whole)
        epochs.append(whole)
    assert epochs[1][0] != epochs[1][1]


def test_a_group_without_a_share_has_no_rows_in_its_phase():
    found = order({0: [1, 0], 30: [0, 1]}, [5, 5])
    assert set(found.places(0, 30).group.tolist()) == {0}
    assert set(found.places(30, 60).group.tolist()) == {1}


def test_seeds_order_rows_differently_and_far_rows_cost_the_same():
    first, second = (order({0: [1]}, [1000], seed=s).places(0, 99) for s in (0, 1))
    assert pairs(first) != pairs(second)
    far = order({0: [1, 2]}, [1000, 1000]).places(10**15, 10**15 + 5)
    assert len(far.row) == 5


def test_the_order_is_the_one_that_runs_have_been_trained_on():
    # Another order would silently change what every resumed run reads.
    found = order({0: [0.3, 0.7]}, [100, 50], seed=7).places(1000, 1010)
    assert pairs(found) == PINNED


PINNED = [
    (1, 13),
    (0, 37),
    (1, 4),
    (1, 0),
    (0, 33),
    (1, 23),
    (1, 15),
    (1, 11),
    (0, 26),
    (1, 42),
]


def test_rows_in_these_shares_give_examples_at_the_rates():
    rates, a_row = {"a": 1.0, "b": 3.0}, {"a": 1.0, "b": 6.0}
    found = row_shares(rates, a_row)
    examples = {name: found[name] * a_row[name] for name in rates}
    assert np.isclose(examples["b"] / examples["a"], 3)
    assert np.isclose(sum(found.values()), 1)
