"""Greedy and sampled tokens."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sightline.models.samplers import greedy, row_keys, sampled

SHARES = np.array([0.05, 0.4, 0.1, 0.25, 0.2], np.float32)
DRAWS = 4000


def drawn(**settings) -> np.ndarray:
    """Shares of the tokens among independent draws."""
    logits = jnp.tile(jnp.log(SHARES), (DRAWS, 1)) + 3.0
    tokens = sampled(**settings)(logits, jax.random.split(jax.random.key(0), DRAWS))
    return np.bincount(np.asarray(tokens), minlength=5) / DRAWS


def near(found: np.ndarray, wanted: np.ndarray):
    error = np.sqrt(wanted * (1 - wanted) / DRAWS)
    assert (np.abs(found - wanted) <= 4.5 * error).all(), (found, wanted)


def test_greedy_takes_the_first_of_equals():
    logits = jnp.array([[0.0, 2.0, 2.0], [-jnp.inf, -3.0, -4.0]])
    found = greedy(logits, jax.random.split(jax.random.key(0), 2))
    np.testing.assert_array_equal(found, [1, 1])


def test_a_sample_follows_its_distribution():
    near(drawn(), SHARES)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_temperature_sharpens(temperature):
    share = SHARES ** (1 / temperature)
    near(drawn(temperature=temperature), share / share.sum())


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [(0.01, [1]), (0.39, [1]), (0.41, [1, 3]), (0.64, [1, 3]), (0.66, [1, 3, 4]),
     (0.96, [0, 1, 2, 3, 4])],
)  # fmt: skip
def test_the_nucleus_is_the_smallest_set_that_holds_top_p(top_p, kept):
    share = np.where(np.isin(np.arange(5), kept), SHARES, 0)
    found = drawn(top_p=top_p)
    np.testing.assert_array_equal(np.flatnonzero(found), kept)
    near(found, share / share.sum())


@pytest.mark.parametrize("settings", [{}, dict(top_p=0.9), dict(temperature=1e-6)])
def test_a_token_of_no_probability_is_never_drawn(settings):
    logits = jnp.tile(jnp.array([-jnp.inf, 0.0, -jnp.inf, -30.0]), (500, 1))
    keys = jax.random.split(jax.random.key(1), 500)
    assert set(np.asarray(sampled(**settings)(logits, keys)).tolist()) == {1}


def test_equal_settings_are_one_sampler():
    assert sampled(temperature=0.7, top_p=0.9) is sampled(temperature=0.7, top_p=0.9)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf"), 1e-9])
def test_a_temperature_out_of_range(temperature):
    with pytest.raises(ValueError, match=r"temperature is .*`greedy`"):
        sampled(temperature=temperature)


@pytest.mark.parametrize("top_p", [0.0, -0.1, 1.1, float("nan")])
def test_top_p_out_of_range(top_p):
    with pytest.raises(ValueError, match=r"top_p is .*\(0, 1\]"):
        sampled(top_p=top_p)


def test_no_two_rows_of_any_seed_and_batch_share_a_key():
    keys = [
        np.asarray(jax.random.key_data(row_keys(seed, first, rows=32)))
        for seed in (0, 1, 32, 64)
        for first in (0, 32, 64)
    ]
    assert len(np.unique(np.concatenate(keys), axis=0)) == 4 * 3 * 32
