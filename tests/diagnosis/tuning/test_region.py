"""Regions: draws are within the bounds, and uniform there."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.diagnosis.tuning.design import DECIMALS, design
from sightline.diagnosis.tuning.region import region
from sightline.diagnosis.tuning.table import HELD_OUT
from sightline.objectives.errors import UsageError

ABC = ("a", "b", "c")


def drawn(bounds, *, count, seed=0):
    draws = region(ABC, bounds).draws(np.random.default_rng(seed))
    return np.array(list(itertools.islice(draws, count)))


@st.composite
def boxes(draw):
    """Bounds between which some mixture of up to eight components is."""
    size = draw(st.integers(2, 8))
    inside = np.random.default_rng(draw(st.integers(0, 999))).dirichlet(np.ones(size))
    part = st.floats(0, 1)
    unit = 10**-DECIMALS
    return {
        str(n): (
            round(unit * np.floor(share * draw(part) / unit), DECIMALS),
            round(unit * np.ceil((share + (1 - share) * draw(part)) / unit), DECIMALS),
        )
        for n, share in enumerate(inside)
        if draw(st.booleans())
    }, tuple(map(str, range(size)))


@given(boxes())
@settings(deadline=None, max_examples=60, derandomize=True)
def test_every_draw_is_a_mixture_within_the_bounds(box):
    between, names = box
    draws = region(names, between).draws(np.random.default_rng(0))
    found = np.array(list(itertools.islice(draws, 20)))
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-9)
    for name, (low, high) in between.items():
        shares = found[:, names.index(name)]
        assert (shares >= low - 1e-9).all() and (shares <= high + 1e-9).all()


def test_draws_are_uniform_as_those_of_a_dirichlet_that_are_within():
    bounds = {"a": (0.1, 0.6), "b": (0.3, 0.5)}
    found = drawn(bounds, count=3000)
    every = np.random.default_rng(1).dirichlet(np.ones(3), 100_000)
    (a, b, _) = every.T
    expected = every[(a >= 0.1) & (a <= 0.6) & (b >= 0.3) & (b <= 0.5)]
    for quantile in (0.1, 0.5, 0.9):
        np.testing.assert_allclose(
            np.quantile(found, quantile, axis=0),
            np.quantile(expected, quantile, axis=0),
            atol=0.015,
        )


def test_without_bounds_it_is_the_whole_simplex():
    found = drawn({}, count=2000)
    np.testing.assert_allclose(found.mean(axis=0), 1 / 3, atol=0.02)
    # Each share is Beta(1, 2), of variance 1 / 18.
    np.testing.assert_allclose(found.var(axis=0), 1 / 18, atol=0.006)


def test_a_region_may_be_one_mixture():
    point = {"a": (0.5, 0.5), "b": (0.2, 0.2)}
    np.testing.assert_allclose(drawn(point, count=2), [[0.5, 0.2, 0.3]] * 2)
    point = {"a": (0.7, 0.7), "b": (0.2, 0.2), "c": (0.1, 0.1)}  # .9999999999999999
    np.testing.assert_allclose(drawn(point, count=2), [[0.7, 0.2, 0.1]] * 2)


def test_a_design_between_bounds_keeps_what_is_given_and_no_corner_outside():
    between = {"a": (0.5, 0.8), "b": (0.0, 0.2)}
    made = design(
        ABC,
        count=12,
        seed=0,
        current={"b": 1.0},
        recipes={"even": {"a": 1.0, "b": 1.0, "c": 1.0}},
        held_out=4,
        between=between,
    )
    assert [d.kind for d in made[:2]] == ["current", "recipes"]
    assert [d.kind for d in made[2:]] == ["dirichlet"] * 10 + [HELD_OUT] * 4
    assert all(region(ABC, between).holds(d.shares) for d in made[2:])
    assert len({d.shares.tobytes() for d in made}) == 16


def test_a_corner_within_the_bounds_is_kept():
    made = design(ABC, count=4, seed=0, between={"a": (0.6, 1.0)})
    assert [d.name for d in made] == ["a", "draw_0", "draw_1", "draw_2"]


def test_as_many_are_drawn_as_there_are():
    step = 10**-DECIMALS
    between = {"a": (0.5, 0.5 + 2 * step), "b": (0.2, 0.2)}
    with pytest.raises(UsageError, match="20 mixtures are asked for, and only 3"):
        design(ABC, count=20, seed=0, between=between)


@pytest.mark.parametrize(
    ("between", "message"),
    [
        ({"d": (0.0, 1.0)}, "bounds 'd', which is none of --components"),
        ({"a": (0.6, 0.5)}, "a:0.6:0.5 is no range"),
        ({"a": (-0.1, 0.5)}, "a:-0.1:0.5 is no range"),
        ({"a": (0.5, 1.5)}, "a:0.5:1.5 is no range"),
        ({"a": (float("nan"), 0.5)}, "is no range"),
        ({"a": (0.33333, 0.5)}, "a:0.33333:0.5 has more than the 4 decimals"),
        ({"a": (0.6, 0.9), "b": (0.5, 0.9)}, "least shares sum to 1.1"),
        ({"a": (0.0, 0.3), "b": (0.0, 0.3), "c": (0.0, 0.3)}, "the most to 0.9"),
    ],
)
def test_bounds_between_which_nothing_is_are_refused(between, message):
    with pytest.raises(UsageError, match=message):
        region(ABC, between)
