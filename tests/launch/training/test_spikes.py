"""Spikes of the gradient norm: told from noise, skipped whole."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings, strategies as st

from sightline.launch.training.spikes import (
    WINDOW,
    NormStatistics,
    extended,
    is_spike,
    no_statistics,
)

EXTEND = jax.jit(extended)


def after(norms) -> NormStatistics:
    statistics = no_statistics()
    for norm in norms:
        statistics = EXTEND(statistics, jnp.float32(norm))
    return statistics


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=WINDOW))
def test_the_first_window_is_averaged_evenly(norms):
    statistics = after(norms)
    logs = np.log(np.array(norms, np.float32))
    np.testing.assert_allclose(statistics.mean, logs.mean(), atol=1e-4)
    np.testing.assert_allclose(statistics.variance, logs.var(), atol=1e-3)
    assert statistics.updates == len(norms)


def test_a_later_level_is_forgotten_in_some_windows():
    statistics = after([1.0] * WINDOW + [np.e] * (8 * WINDOW))
    np.testing.assert_allclose(statistics.mean, 1.0, atol=1e-3)


def test_nothing_is_a_spike_before_a_window_has_passed():
    early = after([1.0] * (WINDOW - 1))
    assert not is_spike(early, jnp.float32(1e9), deviations=6.0)
    assert is_spike(after([1.0] * WINDOW), jnp.float32(1e9), deviations=6.0)


def test_noise_is_no_spike_and_a_tenfold_norm_is_one():
    rng = np.random.default_rng(0)
    statistics = after(np.exp(rng.normal(0, 0.2, 4 * WINDOW)))
    noise = jnp.exp(jnp.asarray(rng.normal(0, 0.2, 10_000), jnp.float32))
    spikes = jax.vmap(lambda norm: is_spike(statistics, norm, deviations=6.0))(noise)
    assert not spikes.any()
    assert is_spike(statistics, jnp.float32(10.0), deviations=6.0)
    assert not is_spike(statistics, jnp.float32(1e-9), deviations=6.0)


def test_norms_that_never_vary_do_not_make_a_spike_of_everything():
    steady = after([1.0] * (2 * WINDOW))
    assert not is_spike(steady, jnp.float32(1.5), deviations=6.0)


def test_a_spiking_step_changes_nothing_and_is_told_from_nan(
    make_program, make_batches, shares
):
    program = make_program("decoder", spike_deviations=6.0)
    step = program.compile_train_step()
    (batch,) = make_batches("decoder")
    batch = program.place(batch)
    state, metrics = step(program.initial_state(), batch, shares)
    assert not metrics.spike  # the first of all
    seen = NormStatistics(state.norms.mean, state.norms.variance, jnp.int32(WINDOW))
    state = state._replace(norms=seen)
    before = jax.device_get(state)
    state, metrics = step(state, batch, shares * 1e3)
    reported, now = jax.device_get((metrics, state))
    assert reported.spike and reported.finite and reported.skipped == 1
    unchanged = (before.params, before.opt_state, before.norms)
    jax.tree.map(
        np.testing.assert_array_equal, unchanged, (now.params, now.opt_state, now.norms)
    )
    state, metrics = step(state, batch, shares)
    assert not metrics.spike
    assert (int(state.skipped), int(state.skipped_in_a_row)) == (1, 0)
    assert int(state.norms.updates) == WINDOW + 1
    # A NaN is skipped as not finite, and leaves the statistics clean.
    state, metrics = step(state, batch, shares * np.nan)
    assert not metrics.finite and not metrics.spike
    assert np.isfinite(state.norms.mean) and int(state.norms.updates) == WINDOW + 1
