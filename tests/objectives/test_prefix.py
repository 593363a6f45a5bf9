"""Prefix LM: one text in two parts, and UL2's mode token before it."""

import collections
import inspect

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.objectives import registry
from sightline.objectives.prefix import prefix


@settings(max_examples=100, deadline=None)
@given(
    length=st.integers(2, 80),
    ends=st.booleans(),
    suffix=st.none() | st.floats(0, 1, exclude_min=True, exclude_max=True),
    mode=st.sampled_from(["none", "R", "S", "X"]),
    seed=st.integers(0, 2**32),
)
def test_inputs_and_targets_are_the_window(
    length, ends, suffix, mode, seed, make_text, ids
):
    text = make_text(length + (0 if ends else 5), 0, length)
    objective = registry.get("prefix").with_settings(suffix=suffix, mode=mode)
    example = objective(text, np.random.default_rng(seed), ids)
    tokens = np.concatenate([example.inputs, example.targets])
    positions = np.concatenate([example.inputs_positions, example.targets_positions])
    first = 1 if mode == "none" else 0
    np.testing.assert_array_equal(tokens[1 - first :], text.tokens)
    np.testing.assert_array_equal(positions, np.arange(first, length + 1))
    assert len(example.targets) >= 1
    assert len(example.inputs) >= 2 - first
    assert example.targets_weights.all()
    assert not example.inputs_weights.any()
    if mode != "none":
        assert example.inputs[0] == ids.mode(mode)
    if suffix is not None:
        asked = min(max(round(suffix * length), 1), length - 1)
        assert len(example.targets) == asked


def test_every_cut_is_equally_likely(make_text, ids):
    rng, text = np.random.default_rng(0), make_text(9, 0, 6)
    cuts = collections.Counter(
        len(registry.get("prefix")(text, rng, ids).inputs) for _ in range(5000)
    )
    assert set(cuts) == {1, 2, 3, 4, 5}
    assert all(abs(n - 1000) < 5 * np.sqrt(800) for n in cuts.values())


@pytest.mark.parametrize(
    ("name", "bound"),
    [("prefix", {"suffix": 0.25}), ("span_corruption", {"density": 0.5})],
)
def test_a_mode_token_changes_nothing_else(name, bound, make_text, ids):
    """The same text, the same places; the token itself is not predicted."""
    text = make_text(90, 0, 60)
    plain = registry.get(name).with_settings(**bound)
    marked = plain.with_settings(mode="X")
    one = plain(text, np.random.default_rng(4), ids)
    two = marked(text, np.random.default_rng(4), ids)
    assert two.inputs[0] == ids.mode("X")
    assert two.inputs_positions[0] == 0 == two.inputs_weights[0]
    for field, a, b in zip(one._fields, one, two, strict=True):
        b = b[1:] if field.startswith("inputs") else b
        np.testing.assert_array_equal(a, b)
        assert np.asarray(a).dtype == np.asarray(b).dtype
    assert marked.lengths(60).inputs == plain.lengths(60).inputs + 1
    assert marked.lengths(60).all_slots == plain.lengths(60).all_slots + 1


@pytest.mark.parametrize("name", ["prefix", "span_corruption"])
def test_a_mode_token_is_shown_at_its_rate(name, make_text, ids):
    objective = registry.get(name).with_settings(mode="R", mode_rate=0.8)
    rng, text = np.random.default_rng(0), make_text(40)
    shown = [
        ids.mode("R") in objective(text, rng, ids).inputs.tolist() for _ in range(2000)
    ]
    assert abs(np.mean(shown) - 0.8) < 5 * np.sqrt(0.16 / 2000)


def test_an_unknown_mode_gives_the_nearest(make_text, ids):
    unchecked = inspect.unwrap(prefix)
    with pytest.raises(ValueError, match=r"prefix.mode is 's'; did you mean 'S'"):
        unchecked(make_text(9), np.random.default_rng(0), ids, mode="s")
