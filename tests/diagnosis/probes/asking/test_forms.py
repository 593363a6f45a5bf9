"""Examples that ask how a text goes on: what is scored, and that objectives ask so."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.diagnosis.probes.asking.forms import MODES, STRIDE, going_on, pair
from sightline.diagnosis.probes.reconstruction.corruptions import Corrupted
from sightline.diagnosis.probes.reconstruction.restoring import ask
from sightline.objectives import registry, span_corruption
from sightline.objectives.text import Text

ALL = registry.objectives()
tokens = st.lists(st.integers(3, 999), max_size=30).map(lambda x: np.array(x, np.int32))
some = tokens.filter(len)


def parts(example):
    """Every field but the objective's id, as lists."""
    return {k: v.tolist() for k, v in example._asdict().items() if k != "objective"}


def window(ids, *texts):
    """Texts one after another, as the window of a document that goes on."""
    document = np.concatenate([*texts, [5, ids.eos]]).astype(np.int32)
    return Text(document, 0, len(document) - 2, lambda rng: document)


@settings(max_examples=200, deadline=None)
@given(mode=st.sampled_from(MODES), before=tokens, after=some)
def test_what_is_scored_is_the_text_after_each_token_once(mode, before, after, ids):
    examples = going_on(mode, before, after, ids)
    scored = []
    for example in examples:
        inside, behind = example.inputs_weights > 0, example.targets_weights > 0
        places = [example.inputs_positions[inside], example.targets_positions[behind]]
        answers = [example.inputs_targets[inside], example.targets[behind]]
        scored += zip(np.concatenate(places), np.concatenate(answers), strict=True)
        assert set(example.inputs_weights) | set(example.targets_weights) <= {0, 1}
    assert len(examples) == 1 or mode in ("masked", "shifted")
    assert [token for _, token in sorted(scored)] == after.tolist()


@settings(max_examples=100, deadline=None)
@given(before=tokens, after=some)
def test_masks_hide_what_they_ask_for_and_little_else(before, after, ids):
    both = np.concatenate([before, after])
    for example in going_on("masked", before, after, ids):
        hidden = example.inputs_weights > 0
        assert (example.inputs[hidden] == ids.mask).all()
        np.testing.assert_array_equal(example.inputs[~hidden], both[~hidden])
        assert (np.diff(np.flatnonzero(hidden)) == STRIDE).all()
        assert example.inputs_positions.tolist() == list(range(1, len(both) + 1))


@settings(max_examples=100, deadline=None)
@given(before=tokens, after=some)
def test_nothing_shows_what_is_scored(before, after, ids):
    """But for what a slot sees of the targets before it."""
    other = 3 + (after + 1) % 997
    for mode in MODES:
        one, two = (going_on(mode, before, text, ids) for text in (after, other))
        for a, b in zip(one, two, strict=True):
            if mode not in ("masked", "shifted"):
                np.testing.assert_array_equal(a.inputs, b.inputs)


@settings(max_examples=100, deadline=None)
@given(before=tokens, after=some)
def test_causal_mode_is_the_objective(before, after, ids):
    if len(before) + len(after) < 2:
        return
    rng = np.random.default_rng(0)
    own = parts(ALL["causal"](window(ids, before, after), rng, ids))
    (asked,) = going_on("causal", before, after, ids)
    own["targets_weights"] = [0.0] * len(before) + [1.0] * len(after)
    assert parts(asked) == own


@settings(max_examples=100, deadline=None)
@given(before=some, after=some)
def test_prefix_mode_is_the_objective(before, after, ids):
    share = len(after) / (len(before) + len(after))
    objective = ALL["prefix"].with_settings(suffix=share)
    rng = np.random.default_rng(0)
    own = objective(window(ids, before, after), rng, ids)
    assert parts(going_on("prefix", before, after, ids)[0]) == parts(own)


@settings(max_examples=100, deadline=None)
@given(before=some, after=some)
def test_permuted_mode_is_the_objective_where_an_end_is_missing(before, after, ids):
    both = np.concatenate([before, after])
    places = np.arange(len(both))
    kept, missing = np.split(places, [len(before)])
    corrupted = Corrupted("masking", both, both, kept, missing)
    own = ask(corrupted, ids, mode="permuted").example
    assert parts(going_on("permuted", before, after, ids)[0]) == parts(own)


@settings(max_examples=100, deadline=None)
@given(before=some, after=some)
def test_span_mode_is_the_objective_where_the_last_span_is_dropped(before, after, ids):
    both = np.concatenate([before, after])
    mask = np.arange(len(both)) >= len(before)
    inputs, targets = span_corruption.with_sentinels(both, mask, ids)
    (asked,) = going_on("span", before, after, ids)
    assert asked.inputs.tolist() == inputs.tolist()
    assert [*asked.targets.tolist(), ids.eos] == targets.tolist()
    behind = len(inputs) + 2 + np.arange(len(asked.targets))
    assert asked.targets_positions.tolist() == behind.tolist()


@settings(max_examples=50, deadline=None)
@given(before=some, after=some)
def test_reconstruction_mode_restores_the_whole_from_its_beginning(before, after, ids):
    (asked,) = going_on("reconstruction", before, after, ids)
    assert asked.inputs.tolist() == [*before.tolist(), ids.mask, ids.eos]
    assert asked.targets.tolist() == [*before.tolist(), *after.tolist()]
    behind = len(asked.inputs) + 2 + np.arange(len(asked.targets))
    assert asked.targets_positions.tolist() == behind.tolist()


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("seed", range(5))
def test_pairs_are_the_objective(label, seed, ids, make_text):
    rates = {"other": 0.0, "further": 0.0, "swapped": 1.0 - label}
    objective = ALL["sentence_pair"].with_settings(**rates)
    own = objective(make_text(40, 0, 30), np.random.default_rng(seed), ids)
    at = own.inputs.tolist().index(ids.sep)
    asked = pair(own.inputs[:at], own.inputs[at + 1 :], ids, label=label)
    assert parts(asked) == parts(own)
