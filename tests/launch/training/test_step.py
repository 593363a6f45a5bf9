"""The train step: one program for every mixture, the same numbers on every mesh."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sightline.launch.training.step import stop_if_not_finite
from sightline.objectives import registry

TOLERANCE = 1e-4
"""Largest relative difference between meshes of any of 10 losses, in float32."""


@pytest.fixture(scope="module")
def decoder(make_program):
    program = make_program("decoder")
    return program, program.compile_train_step()


def losses(program, step, batches, shares, *, start):
    """The losses of 10 steps from a state over the batches, in turn."""
    placement = jax.tree.map(lambda x: x.sharding, program.abstract_state)
    state, found = jax.device_put(start, placement), []
    for n in range(10):
        batch = program.place(batches[n % len(batches)])
        state, metrics = step(state, batch, shares)
        found.append(float(metrics.loss))
    return np.array(found)


@pytest.mark.parametrize(
    ("architecture", "mesh", "microbatches"),
    [
        ("decoder", {"data": 8}, 1),
        ("decoder", {"fsdp": 8}, 1),
        ("decoder", {"tensor": 8}, 1),
        ("decoder", {"sequence": 8}, 1),
        ("decoder", {"data": 2, "fsdp": 2, "tensor": 2}, 2),
        ("decoder", {}, 4),
        ("encoder_decoder", {"fsdp": 2, "sequence": 2, "tensor": 2}, 1),
        ("encoder_decoder", {"data": 2, "fsdp": 2, "sequence": 2}, 2),
    ],
)
def test_meshes_and_accumulation_do_not_change_the_losses(
    architecture, mesh, microbatches, make_program, make_batches, shares, one_device
):
    batches = make_batches(architecture, count=4)
    program = make_program(architecture, mesh=mesh, microbatches=microbatches)
    expected, start = one_device(architecture)
    found = losses(program, program.compile_train_step(), batches, shares, start=start)
    assert expected[-1] < 0.9 * expected[0]
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE)


@pytest.fixture(scope="module")
def one_device(make_program, make_batches, shares, decoder):
    """10 losses on one device in one piece, and the state before, by architecture."""
    known = {}

    def run(architecture):
        if architecture not in known:
            program = make_program(architecture)
            compiled = architecture == "decoder"
            step = decoder[1] if compiled else program.compile_train_step()
            batches = make_batches(architecture, count=4)
            start = jax.device_get(program.initial_state())
            found = losses(program, step, batches, shares, start=start)
            known[architecture] = found, start
        return known[architecture]

    return run


def test_one_compiled_step_serves_every_mixture(decoder, make_batches, shares):
    """A compiled program cannot recompile: other shapes or types would be refused."""
    program, step = decoder
    state = program.initial_state()
    for names in (("causal",), ("masked", "sentence_pair"), ("permuted",)):
        wanted = np.zeros_like(shares)
        present = [registry.get(name).id for name in names]
        wanted[present] = 1 / len(names)
        (batch,) = make_batches("decoder", names)
        state, metrics = step(state, program.place(batch), wanted)
        weight = np.asarray(metrics.sums.weight)
        assert np.flatnonzero(weight).tolist() == sorted(present)
        nll = np.asarray(metrics.sums.nll)[present] / weight[present]
        assert np.isfinite(nll).all()
        assert abs(metrics.loss - nll.mean()) < 0.05  # the rest is the z-loss


def poisoned(batch):
    """The batch with a loss weight that is not finite, for one causal prediction."""
    weights = batch.decoder.loss_weights.copy()
    causal = (batch.decoder.objective_ids == 0) & (weights > 0)
    row, place = np.argwhere(causal)[0]
    weights[row, place] = np.inf
    return batch._replace(decoder=batch.decoder._replace(loss_weights=weights))


def test_a_step_that_is_not_finite_changes_nothing_but_its_counters(
    decoder, make_batches, shares
):
    program, step = decoder
    (batch,) = make_batches("decoder")
    state, _ = step(program.initial_state(), program.place(batch), shares)
    before = jax.device_get(state)
    state, metrics = step(state, program.place(poisoned(batch)), shares)
    after = jax.device_get(state)
    jax.tree.map(
        np.testing.assert_array_equal,
        (before.params, before.opt_state),
        (after.params, after.opt_state),
    )
    assert not metrics.finite
    assert (after.step, after.skipped, after.skipped_in_a_row) == (2, 1, 1)
    state, metrics = step(state, program.place(batch), shares)
    assert metrics.finite
    assert (int(state.skipped), int(state.skipped_in_a_row)) == (1, 0)


def test_a_streak_stops_the_run_and_names_the_objective(decoder, make_batches, shares):
    program, step = decoder
    (batch,) = make_batches("decoder")
    state = program.initial_state()
    for count in (1, 2, 3):
        state, metrics = step(state, program.place(poisoned(batch)), shares)
        metrics = jax.device_get(metrics)
        if count < 3:
            stop_if_not_finite(metrics, step=count, most=3)
    message = r"last 3 updates were skipped .* NaN or Inf: causal\."
    with pytest.raises(FloatingPointError, match=message):
        stop_if_not_finite(metrics, step=3, most=3)


@pytest.fixture(scope="module")
def plain(make_program):
    """A step without an optimiser's state, clipped; its second update is infinite."""
    transformation = optax.sgd(lambda count: jnp.where(count == 0, 1.0, jnp.inf))
    program = dataclasses.replace(
        make_program("decoder"), clip_norm=0.01, transformation=transformation
    )
    return program, program.compile_train_step()


def test_an_update_that_is_not_finite_is_skipped_though_its_gradient_is(
    plain, make_batches, shares
):
    program, step = plain
    (batch,) = make_batches("decoder")
    state, _ = step(program.initial_state(), program.place(batch), shares)
    before = jax.device_get(state.params)
    state, metrics = step(state, program.place(batch), shares)
    assert np.isfinite(metrics.loss) and np.isfinite(metrics.grad_norm)
    assert not metrics.finite and int(state.skipped) == 1
    jax.tree.map(np.testing.assert_array_equal, before, jax.device_get(state.params))


def test_clipping_bounds_the_update_and_reports_the_norm_before_it(
    plain, make_batches, shares
):
    program, step = plain
    (batch,) = make_batches("decoder")
    before = jax.device_get(program.initial_state().params)
    state, metrics = step(program.initial_state(), program.place(batch), shares)
    moved = jax.tree.map(lambda a, b: a - b, before, jax.device_get(state.params))
    assert metrics.grad_norm > 0.1
    np.testing.assert_allclose(optax.tree.norm(moved), 0.01, rtol=1e-4)
