"""Blocks hidden each by itself; the bound of the exact form, and what is seen."""

import inspect
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.objectives import registry
from sightline.objectives.block_diffusion import block_diffusion

pytestmark = pytest.mark.unchecked

SIZES = (3, 3, 2)
"""Blocks of 8 tokens in threes."""


def bound(**settings):
    return registry.get("block_diffusion").with_settings(**settings)


def split(values):
    return np.split(values, np.cumsum(SIZES)[:-1])


def joint(tokens):
    """-log p of some tokens of a text of 8 bits: `{place: bit}`, a random joint."""
    table = np.random.default_rng(2).dirichlet(np.ones(2**8)).reshape([2] * 8)
    return -math.log(table[tuple(tokens.get(n, slice(None)) for n in range(8))].sum())


def conditional(place, known, text):
    """-log p(text[place] | the known places)."""
    seen = {n: text[n] for n in known}
    return joint({**seen, place: text[place]}) - joint(seen)


def losses_of(hidden, begin, text):
    """Of each hidden place of the block from `begin` on: from the rest and the past."""
    size = dict(zip(np.cumsum([0, *SIZES[:-1]]).tolist(), SIZES, strict=True))[begin]
    block = range(begin, begin + size)
    known = [*range(begin), *(n for n in block if n not in hidden)]
    return [conditional(n, known, text) for n in hidden]


def test_true_conditionals_make_the_bound_the_likelihood():
    """Summed over every set of every block: an oracle for what the draws expect.

    A chain of conditionals in any order is the likelihood, so it holds with equality.
    """
    text = [1, 0, 0, 1, 1, 0, 1, 0]
    total, begin = 0.0, 0
    for size in SIZES:
        places = range(begin, begin + size)
        for count in range(1, size + 1):
            for hidden in itertools.combinations(places, count):
                weight = 1 / (count * math.comb(size, count))
                total += weight * sum(losses_of(hidden, begin, text))
        begin += size
    likelihood = joint(dict(enumerate(text)))
    assert abs(total - likelihood) < 1e-9


def test_the_exact_form_expects_the_bound(make_text, ids):
    """The weighted sum of what it draws, within 5 σ of 4,000 draws."""
    text = [1, 0, 0, 1, 1, 0, 1, 0]
    rng, window = np.random.default_rng(0), make_text(20, 0, 8)
    objective, draws, known = bound(block=3, form="exact"), [], {}
    for _ in range(4000):
        weights = objective(window, rng, ids).targets_weights
        total, begin = 0.0, 0
        for part in split(weights):
            hidden = tuple((begin + np.flatnonzero(part)).tolist())
            if hidden not in known:
                known[hidden] = np.array(losses_of(hidden, begin, text))
            total += float(part[part > 0] @ known[hidden])
            begin += len(part)
        draws.append(total)
    error = np.std(draws) / np.sqrt(len(draws))
    assert abs(np.mean(draws) - joint(dict(enumerate(text)))) < 5 * error


@pytest.mark.parametrize("form", ["canvas", "exact"])
def test_every_count_and_every_set_of_a_block_is_equally_likely(form, make_text, ids):
    objective, rng = bound(block=3, form=form), np.random.default_rng(0)
    text = make_text(20, 0, 8)
    counts = [dict.fromkeys(itertools.product([0, 1], repeat=n), 0) for n in SIZES]
    draws = 4000
    for _ in range(draws):
        example = objective(text, rng, ids)
        shown, weights = example.inputs, example.inputs_weights
        if form == "exact":
            shown, weights = example.targets_shown, example.targets_weights
        hidden = weights > 0
        assert (shown[hidden] == ids.mask).all()
        np.testing.assert_array_equal(shown[~hidden], text.tokens[~hidden])
        for each, part, size in zip(counts, split(weights), SIZES, strict=True):
            np.testing.assert_allclose(part[part > 0], size / (part > 0).sum())
            each[tuple((part > 0).astype(int).tolist())] += 1
    for each, size in zip(counts, SIZES, strict=True):
        assert each.pop((0,) * size) == 0
        for hidden, times in each.items():
            chance = 1 / (size * math.comb(size, sum(hidden)))
            assert abs(times - draws * chance) < 5 * math.sqrt(draws * chance)


@settings(max_examples=60, deadline=None)
@given(
    length=st.integers(2, 90),
    block=st.integers(2, 40),
    start=st.integers(0, 30),
    seed=st.integers(0, 2**32),
)
def test_both_forms_hide_the_same_and_see_their_blocks(
    length, block, start, seed, make_text, ids
):
    """Blocks count from the window; the clean text is that before the last of them."""
    text = make_text(start + length + 7, start, start + length)
    canvas, exact = (
        bound(block=block, form=form)(text, np.random.default_rng(seed), ids)
        for form in ("canvas", "exact")
    )
    np.testing.assert_array_equal(canvas.inputs, exact.targets_shown)
    np.testing.assert_array_equal(canvas.inputs_weights, exact.targets_weights)
    np.testing.assert_array_equal(exact.targets, text.tokens)
    begins = [n // block * block for n in range(length)]
    assert exact.targets_sees.tolist() == begins
    assert canvas.inputs_sees.tolist() == [min(n + block, length) for n in begins]
    assert len(exact.inputs) == begins[-1]
    np.testing.assert_array_equal(exact.inputs, text.tokens[: begins[-1]])
    np.testing.assert_array_equal(exact.inputs_sees, canvas.inputs_sees[: begins[-1]])


def test_bad_settings_are_refused(make_text, ids):
    rng, unchecked = np.random.default_rng(0), inspect.unwrap(block_diffusion)
    with pytest.raises(ValueError, match="'exakt'; did you mean 'exact'"):
        unchecked(make_text(9), rng, ids, form="exakt")
    with pytest.raises(ValueError, match=r"block_diffusion.block is 2.5; set it to a"):
        unchecked(make_text(9), rng, ids, block=2.5)
