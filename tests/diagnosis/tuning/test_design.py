"""Designs: every kind is there, shares sum to 1 as written, draws spread out."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.diagnosis.tuning import design as designs
from sightline.diagnosis.tuning.design import (
    DECIMALS,
    MOST_WEIGHT,
    design,
    with_loss_shares,
)
from sightline.diagnosis.tuning.table import HELD_OUT
from sightline.objectives.errors import UsageError

ABC = ("a", "b", "c")


@given(st.integers(2, 12), st.integers(0, 60), st.integers(0, 2**31 - 1))
@settings(deadline=None, max_examples=20, derandomize=True)
def test_every_mixture_is_one_and_is_different(components, more, seed):
    names = tuple(map(str, range(components)))
    count = 2 * components + 1 + more
    designed = design(names, count=count, seed=seed)
    # Of two components, either left out leaves the other alone.
    assert len(designed) == count
    shares = np.array([each.shares for each in designed])
    units = np.round(shares * 10**DECIMALS)
    np.testing.assert_allclose(shares * 10**DECIMALS, units, atol=1e-9)
    assert (units.sum(axis=1) == 10**DECIMALS).all() and (units >= 0).all()
    assert len(np.unique(units, axis=0)) == count
    assert len({each.name for each in designed}) == count


def test_all_kinds_are_there_in_order():
    designed = design(
        ABC,
        count=20,
        seed=0,
        current={"a": 3.0, "b": 1.0},
        recipes={"only_c": {"c": 1.0}, "pair": {"a": 1.0, "c": 1.0}},
    )
    found = {each.name: each for each in designed}
    np.testing.assert_allclose(found["current"].shares, [0.75, 0.25, 0])
    # The same mixture twice is kept under its first name.
    assert "c" not in found and found["only_c"].kind == "recipes"
    assert [d.kind for d in designed[:4]] == [
        "current",
        "recipes",
        "recipes",
        "uniform",
    ]
    assert sum(d.kind == "dirichlet" for d in designed) >= 11


def test_without_a_component_the_others_keep_their_proportions():
    designed = design(
        ABC,
        count=5,
        seed=0,
        current={"a": 2.0, "b": 1.0, "c": 1.0},
        kinds=("leave_one_out",),
    )
    found = {each.name: each.shares for each in designed}
    np.testing.assert_allclose(found["without_a"], [0, 0.5, 0.5])
    np.testing.assert_allclose(found["without_b"], [0.6667, 0, 0.3333])


def test_the_seed_decides_the_draws():
    one, again, other = (
        [tuple(d.shares) for d in design(ABC, count=30, seed=s, kinds=("dirichlet",))]
        for s in (1, 1, 2)
    )
    assert one == again and not set(one) & set(other)
    draws = np.array(one)
    assert np.abs(draws.mean(axis=0) - 1 / 3).max() < 0.15
    assert draws.max() > 0.8 and draws.max(axis=1).min() < 0.5


def test_mixtures_held_out_come_on_top_and_change_no_other():
    without, more = (design(ABC, count=15, seed=3, held_out=n) for n in (0, 6))
    assert [d.name for d in more[:15]] == [d.name for d in without]
    assert all(
        (a.shares == b.shares).all() for a, b in zip(more, without, strict=False)
    )
    assert [d.kind for d in more[15:]] == [HELD_OUT] * 6
    assert len({d.shares.tobytes() for d in more}) == 21


def test_a_recipe_may_have_the_name_of_a_mixture_that_it_is():
    (found,) = (
        d
        for d in design(ABC, count=15, seed=0, recipes={"a": {"a": 1.0}})
        if d.name == "a"
    )
    assert found.kind == "recipes"


def test_as_many_mixtures_are_drawn_as_there_are(monkeypatch):
    monkeypatch.setattr(designs, "DECIMALS", 2)  # 101 mixtures of two components
    assert len(design(("a", "b"), count=95, seed=0)) == 95
    with pytest.raises(UsageError, match="102 mixtures are asked for, and only 101"):
        design(("a", "b"), count=102, seed=0)


def test_shares_of_the_loss_are_a_design_of_their_own():
    current = {"a": 0.8, "b": 0.2}
    designed = design(ABC, count=30, seed=0, current=current, held_out=5)
    known = {"current": {"a": 0.5, "b": 0.5}}
    weighed = with_loss_shares(designed, ABC, known, seed=0)
    found = {each.name: each for each in weighed}
    np.testing.assert_allclose(found["current"].loss, [0.5, 0.5, 0])
    np.testing.assert_allclose(found["uniform"].loss, found["uniform"].shares)
    drawn = [each for each in weighed if each.kind in ("dirichlet", HELD_OUT)]
    for each in drawn:
        assert each.loss.sum() == pytest.approx(1)
        # A loss without examples cannot be.
        assert not each.loss[each.shares == 0].any()
        present = each.shares > 0.05
        weights = each.loss[present] / each.shares[present]
        assert weights.max() / weights.min() < 1.1 * MOST_WEIGHT**2
    moved = [np.abs(each.loss - each.shares).max() for each in drawn]
    assert np.median(moved) > 0.05


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 3}, "--count=7 or more"),
        ({"count": 0}, "--count is 0"),
        ({"current": {"d": 1.0}}, "mixture 'current' has 'd'"),
        ({"recipes": {"x": {"aa": 1.0}}}, "mixture 'x' has 'aa'"),
        ({"count": 100_001}, "--count is 100001"),
        ({"recipes": {"a": {"a": 1.0, "b": 1.0}}}, "named 'a' .recipes and vertices"),
        ({"recipes": {"draw_0": {"a": 0.9, "b": 0.1}}}, "named 'draw_0'"),
        ({"recipes": {"current": {"a": 1.0}}, "current": {"b": 1.0}}, "'current'"),
        ({"kinds": ("vertex",)}, "no kind of mixtures 'vertex'; did you mean"),
    ],
)
def test_what_cannot_be_designed_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        design(ABC, **{"count": 20, "seed": 0, **options})
