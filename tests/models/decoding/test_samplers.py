"""Greedy and sampled tokens."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sightline.models.decoding.samplers import (
    greedy,
    log_distribution,
    row_keys,
    sampled,
)

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
    assert sampled(temperature=0.7, top_p=0.9) == sampled(temperature=0.7, top_p=0.9)


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


def cut_like_transformers(logits, *, temperature=1.0, top_k=None, top_p=1.0):
    """Probabilities after its warpers for temperature, top-k and top-p, in this order.

    Top-k keeps all scores that are not below the k-th; top-p sorts ascending and drops
    those whose cumulative probability is at most 1 - p.
    """
    scores = logits.astype(np.float64) / temperature
    if top_k is not None:
        scores = np.where(
            scores < np.sort(scores)[-min(top_k, len(scores))], -np.inf, scores
        )
    share = np.exp(scores - scores.max())
    share /= share.sum()
    ascending = np.argsort(share, kind="stable")
    dropped = ascending[np.cumsum(share[ascending]) <= 1 - top_p]
    share[dropped[dropped != ascending[-1]]] = 0
    return share / share.sum()


@pytest.mark.parametrize(
    "settings",
    [
        dict(top_k=1),
        dict(top_k=4),
        dict(top_k=50),
        dict(temperature=3.0, top_k=5),
        dict(top_k=6, top_p=0.7),
        dict(temperature=2.0, top_k=12, top_p=0.45),
        dict(temperature=0.3, top_p=0.9),
    ],
    ids=str,
)
def test_what_is_kept_is_what_transformers_keeps(settings):
    logits = np.random.default_rng(0).normal(size=(40, 20)).astype(np.float32) * 2
    found = np.exp(sampled(**settings).log_probabilities(jnp.asarray(logits)))
    wanted = np.stack([cut_like_transformers(row, **settings) for row in logits])
    np.testing.assert_array_equal(found > 0, wanted > 0)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_top_k_comes_before_the_nucleus():
    """Of .4 .25 .2, renormalised, two tokens hold .7; of all five, three do."""
    assert set(np.flatnonzero(drawn(top_k=3, top_p=0.7))) == {1, 3}
    assert set(np.flatnonzero(drawn(top_p=0.7))) == {1, 3, 4}


def test_of_equals_top_k_keeps_those_with_the_least_ids():
    logits = jnp.array([[0.0, 1.0, 1.0, 0.0, 1.0, 1.0]])
    log_p = sampled(top_k=3).log_probabilities(logits)
    np.testing.assert_array_equal(np.isfinite(log_p), [[0, 1, 1, 0, 1, 0]])


@pytest.mark.parametrize("settings", [dict(top_k=2), dict(top_k=4, top_p=0.8), {}])
def test_a_draw_follows_the_stated_distribution(settings):
    wanted = np.exp(sampled(**settings).log_probabilities(jnp.log(SHARES)[None]))[0]
    near(drawn(**settings), wanted)


def test_the_distribution_of_greedy_is_one_token():
    logits = jnp.array([[0.0, 2.0, 2.0], [-jnp.inf, -3.0, -4.0]])
    found = log_distribution(greedy, logits)
    np.testing.assert_array_equal(np.exp(found), [[0, 1, 0], [0, 1, 0]])


def test_the_distribution_of_another_sampler_is_unknown():
    with pytest.raises(ValueError, match="`greedy` or one made by `sampled`"):
        log_distribution(lambda logits, keys: greedy(logits, keys), jnp.zeros((1, 3)))


@pytest.mark.unchecked
@pytest.mark.parametrize("top_k", [0, -1, 2.5, 2.0, True, "2"])
def test_top_k_that_is_no_number_of_tokens(top_k):
    with pytest.raises(ValueError, match=f"top_k is {top_k!r}; set it to a whole"):
        sampled(top_k=top_k)
