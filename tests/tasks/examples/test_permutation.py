"""Permutations are permutations, and shuffle."""

import numpy as np
import pytest

from sightline.tasks.examples.permutation import permuted


def whole(size, seed):
    keys = np.random.default_rng(seed).integers(2**64, size=8, dtype=np.uint64)
    places = np.arange(size)
    return permuted(places, np.full(size, size), np.tile(keys, (size, 1)))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 16, 17, 63, 64, 65, 1000, 4097])
def test_every_number_comes_once(size):
    assert sorted(whole(size, size).tolist()) == list(range(size))


def test_no_place_prefers_a_number():
    seeds = 20_000
    keys = np.random.default_rng(0).integers(2**64, size=(seeds, 8), dtype=np.uint64)
    places = np.tile(np.arange(7), seeds)
    found = permuted(places, np.full(7 * seeds, 7), np.repeat(keys, 7, axis=0))
    counts = np.bincount(places * 7 + found, minlength=49)
    expected = seeds / 7
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert chi_square < 80  # of 36 degrees of freedom: p = 4e-5


def test_neighbours_are_spread():
    order = whole(10_000, 1)
    assert abs(np.corrcoef(np.arange(10_000), order)[0, 1]) < 0.05
    steps = np.diff(order)
    assert np.mean(np.abs(steps) < 100) < 0.03  # 2 % of random pairs


def test_large_sizes_stay_inside():
    sizes = np.full(1000, 10**12 + 7)
    places = np.arange(1000) + 10**12 - 1000
    found = permuted(places, sizes, np.full((1000, 8), 9, np.uint64))
    assert len(set(found.tolist())) == 1000 and found.max() < 10**12 + 7
