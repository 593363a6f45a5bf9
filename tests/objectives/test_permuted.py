"""Permuted order: which tokens, in which order, and where they stand."""

import collections
import inspect

import numpy as np
import pytest

from sightline.objectives import registry
from sightline.objectives.permuted import permuted


@pytest.mark.parametrize("selection", ["partial", "spans", "all"])
def test_tokens_stand_where_they_stood(selection, make_text, ids):
    text = make_text(200)
    objective = registry.get("permuted").with_settings(selection=selection)
    example = objective(text, np.random.default_rng(0), ids)
    positions = np.concatenate([example.inputs_positions, example.targets_positions])
    tokens = np.concatenate([example.inputs, example.targets])
    np.testing.assert_array_equal(np.sort(positions), np.arange(1, 201))
    np.testing.assert_array_equal(tokens, text.tokens[positions - 1])
    expected = {"partial": 33, "spans": 33, "all": 200}[selection]
    assert len(example.targets) == expected


def test_85_of_512_are_predicted_at_k_6(make_text, ids):
    example = registry.get("permuted")(
        make_text(600, 0, 512), np.random.default_rng(0), ids
    )
    assert len(example.targets) == 85


def test_every_order_is_equally_likely(make_text, ids):
    objective = registry.get("permuted").with_settings(selection="all")
    rng = np.random.default_rng(0)
    text = make_text(4)
    orders = collections.Counter(
        tuple(objective(text, rng, ids).targets_positions) for _ in range(4800)
    )
    assert len(orders) == 24
    assert all(abs(n - 200) < 5 * np.sqrt(200) for n in orders.values())


def test_spans_have_lengths_of_one_to_five_with_probability_1_over_n(make_text, ids):
    """Away from the ends a run of n is one draw of n, or two draws that touch."""
    objective = registry.get("permuted").with_settings(selection="spans", k=12)
    text = make_text(2001, 0, 2000)
    rng = np.random.default_rng(0)
    runs: collections.Counter[int] = collections.Counter()
    for _ in range(60):
        chosen = np.zeros(2002, int)
        chosen[objective(text, rng, ids).targets_positions] = 1
        edges = np.flatnonzero(np.diff(chosen))
        runs.update((edges[1::2] - edges[::2]).tolist())
    observed = np.array([runs[n] for n in range(1, 6)], float)
    expected = 1 / np.arange(1, 6)
    observed, expected = observed / observed.sum(), expected / expected.sum()
    assert np.abs(observed - expected).max() < 0.05
    assert sum(n for length, n in runs.items() if length > 5) / sum(runs.values()) < 0.1


def test_unknown_selection_gives_the_nearest(make_text, ids):
    unchecked = inspect.unwrap(permuted)
    with pytest.raises(ValueError, match="'al'; did you mean 'all'"):
        unchecked(make_text(9), np.random.default_rng(0), ids, selection="al")


def test_at_k_1_the_eos_that_is_never_selected_is_an_input(make_text, ids):
    objective = registry.get("permuted").with_settings(k=1)
    text = make_text(20)
    need = objective.lengths(len(text.tokens))
    example = objective(text, np.random.default_rng(0), ids)
    assert need is not None
    assert len(example.inputs) <= need.inputs == 1
    assert len(example.targets) <= need.targets == need.all_slots
