"""BERT's selection, tokens or whole words, and the bound of masked diffusion."""

import inspect
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.objectives import registry
from sightline.objectives.masked import masked
from sightline.objectives.words import word_begins

UNIFORM = {"rate": "uniform", "masked_share": 1.0, "random_share": 0.0}


def draw(make_text, ids, *, count=300, **settings):
    objective = registry.get("masked").with_settings(**settings)
    text = make_text(513, 0, 512)
    rng = np.random.default_rng(0)
    return text.tokens, [objective(text, rng, ids) for _ in range(count)]


def test_77_of_512_are_selected(make_text, ids):
    _, examples = draw(make_text, ids, count=3)
    assert [int(e.inputs_weights.sum()) for e in examples] == [77, 77, 77]


def test_80_10_10_and_loss_on_the_kept_ones_too(make_text, ids):
    tokens, examples = draw(make_text, ids)
    selected = np.concatenate([e.inputs[e.inputs_weights > 0] for e in examples])
    original = np.concatenate([tokens[e.inputs_weights > 0] for e in examples])
    assert abs(np.mean(selected == ids.mask) - 0.8) < 0.01
    # A random token is the original one time in 997.
    assert abs(np.mean(selected == original) - 0.1) < 0.01
    for e in examples:
        chosen = e.inputs_weights > 0
        np.testing.assert_array_equal(e.inputs_targets[chosen], tokens[chosen])
        np.testing.assert_array_equal(e.inputs[~chosen], tokens[~chosen])
        assert not e.inputs_targets[~chosen].any()


def test_random_tokens_cover_the_text_ids_and_nothing_else(make_text, ids):
    _, examples = draw(make_text, ids, masked_share=0.0, random_share=1.0)
    drawn = np.concatenate([e.inputs[e.inputs_weights > 0] for e in examples])
    assert set(drawn.tolist()) == set(ids.text.tolist())


@pytest.mark.unchecked
def test_every_place_is_selected_alike_and_eos_never(make_text, ids):
    objective = registry.get("masked")
    rng = np.random.default_rng(0)
    text = make_text(40)
    times = sum(objective(text, rng, ids).inputs_weights for _ in range(6000))
    assert times[-1] == 0
    expected = 6000 * 6 / 39
    assert np.all(np.abs(times[:-1] - expected) < 5 * np.sqrt(expected))


@settings(max_examples=100, deadline=None)
@given(
    length=st.integers(2, 120),
    ends=st.booleans(),
    rate=st.floats(0, 1, exclude_min=True),
    seed=st.integers(0, 2**32),
)
def test_words_are_selected_whole(length, ends, rate, seed, make_text, ids):
    """But for one word, cut, where all words are longer than what may be selected."""
    text = make_text(length + (0 if ends else 5), 0, length)
    objective = registry.get("masked").with_settings(rate=rate, unit="word")
    example = objective(text, np.random.default_rng(seed), ids)
    selected = example.inputs_weights > 0
    most = max(1, round(rate * length))
    assert 1 <= selected.sum() <= most
    content = length - ends
    assert not selected[content:].any()
    begins = np.flatnonzero(word_begins(text.tokens[:content], ids))
    words = np.split(selected[:content], begins[1:])
    partial = [word for word in words if word.any() and not word.all()]
    if partial:
        assert min(map(len, words)) > most
        assert len(partial) == 1
        places = np.flatnonzero(partial[0])  # a run, anywhere in the word
        assert np.array_equal(places, places[0] + np.arange(most))
        assert selected.sum() == most
    else:
        # No other word would have fitted.
        left = [len(word) for word in words if not word.any()]
        assert not left or min(left) > most - selected.sum()


@pytest.mark.unchecked
def test_every_word_is_selected_alike(make_text, ids):
    """Words of one length, so that each is selected as often as any other."""
    start, rest = int(ids.word_starts[5]), int(ids.word_starts[5]) + 1
    document = np.array([start, rest] * 10 + [ids.eos], np.int32)
    text = make_text(21)._replace(document=document)
    objective = registry.get("masked").with_settings(rate=0.2, unit="word")
    rng = np.random.default_rng(0)
    times = sum(objective(text, rng, ids).inputs_weights for _ in range(4000))
    np.testing.assert_array_equal(times[0:20:2], times[1:20:2])
    assert np.all(np.abs(times[:20] - 800) < 5 * np.sqrt(800 * 0.8))


def test_words_show_the_mask_token_by_token(make_text, ids):
    """80/10/10 is drawn for each token: within one word some show and some do not."""
    tokens, examples = draw(make_text, ids, unit="word")
    shown = np.concatenate([e.inputs[e.inputs_weights > 0] for e in examples])
    assert abs(np.mean(shown == ids.mask) - 0.8) < 0.015
    begins = np.append(word_begins(tokens, ids), True)
    inside = [n for n in range(511) if begins[n] and not begins[n + 1]]
    pairs = [
        (e.inputs[n] == ids.mask) != (e.inputs[n + 1] == ids.mask)
        for e in examples
        for n in inside
        if e.inputs_weights[n]
    ]
    assert abs(np.mean(pairs) - 2 * 0.8 * 0.2) < 0.02


@pytest.mark.unchecked
def test_every_count_of_hidden_tokens_is_equally_likely(make_text, ids):
    objective = registry.get("masked").with_settings(**UNIFORM)
    rng, text = np.random.default_rng(0), make_text(11)
    counts = np.zeros(11)
    for _ in range(5000):
        example = objective(text, rng, ids)
        hidden = example.inputs == ids.mask
        np.testing.assert_array_equal(hidden, example.inputs_weights > 0)
        assert not hidden[-1]
        np.testing.assert_allclose(example.inputs_weights.sum(), 10, rtol=1e-6)
        counts[hidden.sum()] += 1
    assert counts[0] == 0
    assert np.all(np.abs(counts[1:] - 500) < 5 * np.sqrt(450))


@pytest.mark.unchecked
def test_each_token_weighs_one_on_average(make_text, ids):
    """Σ weight · f(token) expects Σ f(token), within 5 σ of 20,000 draws."""
    objective = registry.get("masked").with_settings(**UNIFORM)
    rng, text = np.random.default_rng(0), make_text(60, 0, 12)
    weights = np.array([objective(text, rng, ids).inputs_weights for _ in range(20000)])
    sigma = weights.std(0) / np.sqrt(len(weights))
    assert np.all(np.abs(weights.mean(0) - 1) < 5 * sigma)
    f = np.cos(text.tokens)
    sums = weights @ f
    assert abs(sums.mean() - f.sum()) < 5 * sums.std() / np.sqrt(len(sums))


@pytest.mark.unchecked
def test_the_weighted_sum_expects_the_bound_of_diffusion(make_text, ids):
    """Against the integral over t, for losses that depend on all that is hidden.

    A table gives every token of 5 a loss of its own for each of the 31 sets hidden;
    the integral of 1/t · P(set | t) is done by quadrature. Within 5 σ of 20,000 draws.
    """
    size = 5
    losses = np.random.default_rng(1).random((2**size, size))
    sets = np.array(list(itertools.product([0, 1], repeat=size)), bool)
    t = (np.arange(2000) + 0.5) / 2000
    bound = 0.0
    for hidden in sets[1:]:
        count = int(hidden.sum())
        weight = np.mean(t ** (count - 1) * (1 - t) ** (size - count))
        exact = 1 / (count * math.comb(size, count))
        assert abs(weight - exact) < 1e-5
        bound += weight * losses[index(hidden)][hidden].sum()
    objective = registry.get("masked").with_settings(**UNIFORM)
    rng, text = np.random.default_rng(0), make_text(9, 0, size)
    draws = []
    for _ in range(20000):
        weights = objective(text, rng, ids).inputs_weights
        draws.append(float(weights @ losses[index(weights > 0)]))
    assert abs(np.mean(draws) - bound) < 5 * np.std(draws) / np.sqrt(len(draws))


def index(hidden) -> int:
    """The number of a set, in binary."""
    return int(hidden @ (1 << np.arange(len(hidden))))


@pytest.mark.parametrize("bound", [{}, {"unit": "word", "rate": 0.4}, UNIFORM])
@pytest.mark.parametrize("ends", [True, False])
def test_shifted_it_asks_for_the_same_tokens_from_the_slots_before(
    bound, ends, make_text, ids
):
    """By an oracle: token by token, what the Example without a shift predicts."""
    text, objective = make_text(40, 0, 40 if ends else 30), registry.get("masked")
    plain, shifted = (
        objective.with_settings(**bound, shift=shift)(
            text, np.random.default_rng(3), ids
        )
        for shift in (False, True)
    )
    assert shifted.inputs.tolist() == [ids.bos, *plain.inputs]
    assert shifted.inputs_positions.tolist() == list(range(len(text.tokens) + 1))
    for slot, (target, weight) in enumerate(
        zip(plain.inputs_targets, plain.inputs_weights, strict=True)
    ):
        assert shifted.inputs_targets[slot] == target
        assert shifted.inputs_weights[slot] == weight
    assert shifted.inputs_weights[-1] == 0 and not len(shifted.targets)


def test_what_no_vocabulary_or_setting_allows_is_refused(make_text, ids):
    rng, unchecked = np.random.default_rng(0), inspect.unwrap(masked)
    bare = ids._replace(word_starts=np.zeros(0, np.int32))
    with pytest.raises(ValueError, match='no token that begins a word; set unit="tok'):
        unchecked(make_text(9), rng, bare, unit="word")
    with pytest.raises(
        ValueError, match=r"masked.unit is 'words'; did you mean 'word'"
    ):
        unchecked(make_text(9), rng, ids, unit="words")
    with pytest.raises(ValueError, match=r"masked.shift is 1; set it to True or False"):
        unchecked(make_text(9), rng, ids, shift=1)
