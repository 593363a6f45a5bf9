"""Filling in the middle: the window comes back in both orders."""

import collections

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.objectives import registry


def cut(example, ids):
    """What stands after each of the ids of filling, and whether SUF comes second."""
    targets = example.targets.tolist()
    pre, suf, mid = (targets.index(fill) for fill in ids.fill)
    assert (pre, targets[-1]) == (0, ids.eos)
    assert 0 < suf < mid
    return targets[1:suf], targets[suf + 1 : mid], targets[mid + 1 : -1]


@settings(max_examples=150, deadline=None)
@given(
    length=st.integers(2, 60),
    ends=st.booleans(),
    spm=st.sampled_from([0.0, 1.0]),
    seed=st.integers(0, 2**32),
)
def test_the_window_comes_back(length, ends, spm, seed, make_text, ids):
    text = make_text(length + (0 if ends else 5), 0, length)
    objective = registry.get("fill_in_middle").with_settings(spm=spm)
    example = objective(text, np.random.default_rng(seed), ids)
    window = text.tokens.tolist()
    prefix, suffix, filled = cut(example, ids)
    assert filled
    if spm:
        assert not prefix  # it stands before the middle, after MID
    assert prefix + filled + suffix == window
    if ends:
        assert suffix[-1] == ids.eos
    assert len(example.inputs) == 0
    np.testing.assert_array_equal(
        example.targets_positions, 1 + np.arange(len(example.targets))
    )
    np.testing.assert_array_equal(
        example.targets_weights == 0, np.isin(example.targets, ids.fill)
    )
    assert (example.targets_weights == 0).sum() == 3


@pytest.mark.unchecked
def test_every_two_places_are_equally_likely(make_text, ids):
    """4 tokens, EOS not among them: 10 pairs of cuts, each 1/10 of draws ± 5 σ."""
    objective = registry.get("fill_in_middle").with_settings(spm=0.0)
    rng, text = np.random.default_rng(0), make_text(5)
    seen = collections.Counter()
    for _ in range(8000):
        prefix, _, middle = cut(objective(text, rng, ids), ids)
        seen[len(prefix), len(prefix) + len(middle)] += 1
    assert set(seen) == {(i, j) for j in range(5) for i in range(j)}
    assert all(abs(n - 800) < 5 * np.sqrt(720) for n in seen.values())


@pytest.mark.parametrize("spm", [0.0, 0.3, 1.0])
def test_orders_come_at_their_rate(spm, make_text, ids):
    objective = registry.get("fill_in_middle").with_settings(spm=spm)
    rng, text = np.random.default_rng(0), make_text(40)
    found = [objective(text, rng, ids).targets[1] == ids.fill[1] for _ in range(2000)]
    # An empty prefix, 39 of 780 pairs of cuts, looks the same in both orders.
    expected = spm + (1 - spm) * 39 / 780
    assert abs(np.mean(found) - expected) < 5 * np.sqrt(0.25 / 2000)
