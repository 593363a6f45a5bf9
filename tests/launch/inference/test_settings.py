"""Settings of an answer: how a token is drawn, and what is refused."""

import re

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sightline.launch.inference.settings import Settings
from sightline.models.decoding.samplers import greedy
from sightline.objectives.errors import UsageError

pytestmark = pytest.mark.unchecked

LOGITS = np.log([0.5, 0.3, 0.15, 0.05]).astype(np.float32)


def drawn(**settings):
    """The tokens that may be drawn of four."""
    sampler = Settings(**settings).sampler
    keys = jax.random.split(jax.random.key(0), 200)
    logits = jnp.tile(LOGITS, (200, 1))
    tokens = sampler(logits, keys)
    return set(np.asarray(tokens[0] if isinstance(tokens, tuple) else tokens).tolist())


def test_the_most_probable_token_is_taken_unless_something_is_drawn():
    assert Settings().sampler is greedy
    assert Settings(seed=3, stop=(".",)).sampler is greedy


@pytest.mark.parametrize(
    ("settings", "tokens"),
    [
        ({"temperature": 0.001}, {0}),
        ({"top_k": 2}, {0, 1}),
        ({"top_p": 0.7}, {0, 1}),
    ],
)
def test_any_setting_of_the_draw_draws(settings, tokens):
    """With what is not given at its widest."""
    assert drawn(**settings) == tokens


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": 1.01}, "threshold is 1.01; it is a probability"),
        ({"threshold": -0.5}, "above 0 and at most 1"),
        ({"stop": "."}, r"stop is '.'; write a tuple, ('.',)."),
        ({"stop": (".", "")}, "a stop text is empty"),
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"per_pass": 0}, "per_pass is 0"),
        ({"drafts": -1}, "drafts is -1"),
        ({"seed": -1}, "seed is -1"),
        ({"temperature": 0}, "temperature is 0"),
        ({"top_k": 0}, "top_k is 0"),
        ({"top_p": 1.5}, "top_p is 1.5"),
    ],
)
def test_what_is_out_of_range_is_refused_at_once(settings, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        Settings(**settings)


@hypothesis.given(
    threshold=st.floats(0, 1, exclude_min=True), drafts=st.integers(0, 99)
)
@hypothesis.settings(max_examples=20)
def test_what_is_in_range_is_kept(threshold, drafts):
    kept = Settings(threshold=threshold, drafts=drafts)
    assert (kept.threshold, kept.drafts, kept.max_tokens) == (threshold, drafts, 128)
