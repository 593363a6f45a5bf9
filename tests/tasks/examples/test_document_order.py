"""An order of documents: every one once, all orders alike, any place by itself."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.tasks.examples import document_order
from sightline.tasks.examples.document_order import DocumentOrder, feistel


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5000), st.integers(0, 2**64 - 1))
def test_every_document_comes_once(size, seed):
    found = feistel(np.arange(size), size, (seed,))
    assert sorted(found.tolist()) == list(range(size))


@pytest.mark.parametrize("most", [0, 2**22])
def test_any_places_can_be_asked_for_alone(most, monkeypatch):
    monkeypatch.setattr(document_order, "MOST_PERMUTED", most)
    whole = DocumentOrder(1000, (1, 2))[np.arange(1000)]
    some = np.array([999, 0, 500])
    assert DocumentOrder(1000, (1, 2))[some].tolist() == whole[some].tolist()
    assert (DocumentOrder(1000, (1, 3))[np.arange(1000)] != whole).any()


def test_the_first_document_is_any_of_them_alike():
    size, trials = 100, 4000
    first = [int(feistel(np.array([0]), size, (seed,))[0]) for seed in range(trials)]
    counts = np.bincount(first, minlength=size)
    # 99 degrees of freedom; five standard deviations above their mean.
    assert ((counts - trials / size) ** 2 / (trials / size)).sum() < 99 + 5 * 198**0.5


def test_neighbours_are_torn_apart():
    size = 10**9
    order = feistel(np.arange(20_000), size, (7,))
    assert len(set(order.tolist())) == len(order) and order.max() < size
    gaps = np.abs(np.diff(order)) / size
    assert abs(gaps.mean() - 1 / 3) < 0.01  # of two places drawn at random
