"""Intervals over seeds, kinds and items, against what statistics knows of them."""

import math

import numpy as np
import pytest
import scipy.stats

from sightline.diagnosis.results.paired import (
    crossed_interval,
    interval,
    student_interval,
    weighted,
)


@pytest.mark.parametrize("count", [2, 3, 9])
def test_students_interval_is_that_of_scipy(count):
    changes = np.random.default_rng(count).normal(size=count)
    expected = scipy.stats.t.interval(
        0.95, count - 1, changes.mean(), scipy.stats.sem(changes)
    )
    assert student_interval(changes) == pytest.approx(expected)


def test_an_interval_adds_what_seeds_and_items_vary_by():
    """Of 200 seeds: √(.3² + .4²) / √200 on either side, times 1.96."""
    rng = np.random.default_rng(0)
    changes = rng.normal(0.5, 0.3, 200)
    low, high = interval(changes, np.full(200, 0.4))
    error = math.hypot(changes.std(), 0.4) / math.sqrt(200)
    assert (low + high) / 2 == pytest.approx(changes.mean(), abs=0.006)
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.1)


def test_draws_are_of_the_seed():
    changes, errors = np.array([0.1, 0.2, 0.4]), np.array([0.1, 0.1, 0.2])
    assert interval(changes, errors) == interval(changes, errors, seed=0)
    assert interval(changes, errors) != interval(changes, errors, seed=1)
    table = np.random.default_rng(0).normal(size=(3, 4))
    assert crossed_interval(table) == crossed_interval(table, seed=0)
    assert crossed_interval(table) != crossed_interval(table, seed=1)


@pytest.mark.parametrize(("seeds", "kinds"), [(40, 30), (12, 60)])
def test_a_mean_over_seeds_and_kinds_varies_by_both(seeds, kinds):
    """Of effects of each that add up, by the variance of the sum of two means."""
    rng = np.random.default_rng(0)
    of_seeds, of_kinds = rng.normal(0, 0.5, seeds), rng.normal(0, 0.2, kinds)
    low, high = crossed_interval(of_seeds[:, None] + of_kinds[None] + 1)
    error = math.hypot(
        of_seeds.std() / math.sqrt(seeds), of_kinds.std() / math.sqrt(kinds)
    )
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.1)
    middle = 1 + of_seeds.mean() + of_kinds.mean()
    assert (low + high) / 2 == pytest.approx(middle, abs=0.1 * error)


def test_what_all_seeds_and_kinds_agree_on_is_certain():
    assert crossed_interval(np.full((3, 2), 0.25)) == pytest.approx((0.25, 0.25))
    assert interval(np.full(3, 0.25), np.zeros(3)) == pytest.approx((0.25, 0.25))


def test_losses_are_weighted_by_shares_of_what_there_is_a_share_of():
    assert weighted({"a": 2.0, "b": 4.0, "c": 99.0}, {"a": 0.75, "b": 0.25}) == 2.5
