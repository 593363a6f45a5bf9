"""A population: each proxy is what it would be alone, on one device and on many."""

import dataclasses
import re

import jax
import numpy as np
import pytest

from sightline.launch.training.population import Population, member
from sightline.objectives import registry
from sightline.objectives.errors import UsageError

STEPS = 5
TOLERANCE = 2e-5
"""Largest relative difference of a loss, in float32."""

MIXES = (("causal",), ("masked", "sentence_pair"), ("permuted", "span_corruption"))


def shares_of(names):
    shares = np.zeros(registry.CAPACITY, np.float32)
    shares[[registry.get(name).id for name in names]] = 1 / len(names)
    return shares


def batches_of(make_batches, architecture, size):
    """The batches of each proxy, by step: another mixture for each."""
    each = [make_batches(architecture, MIXES[n % 3], count=2) for n in range(size)]
    return [[batches[step % 2] for batches in each] for step in range(STEPS)]


def together(population, batches, shares):
    step, states = population.compile_train_step(), population.initial_state()
    losses = []
    for each in batches:
        states, metrics = step(states, population.place(each), shares)
        losses.append(np.asarray(metrics.loss))
    return jax.device_get(states), np.stack(losses, axis=1)


def alone(program, seed, batches, shares, step):
    state = dataclasses.replace(program, seed=seed).initial_state()
    losses = []
    for batch in batches:
        state, metrics = step(state, program.place(batch), shares)
        losses.append(float(metrics.loss))
    return jax.device_get(state), np.array(losses)


@pytest.mark.parametrize("architecture", ["decoder", "encoder_decoder"])
def test_each_proxy_is_what_it_is_alone(architecture, make_program, make_batches):
    program = make_program(architecture, clip_norm=0.5)
    seeds, size = (0, 5, 0), 3
    batches = batches_of(make_batches, architecture, size)
    shares = np.stack([shares_of(names) for names in MIXES])
    population = Population(program=program, seeds=seeds)
    states, losses = together(population, batches, shares)
    step = program.compile_train_step()
    for n, seed in enumerate(seeds):
        own = [each[n] for each in batches]
        state, expected = alone(program, seed, own, shares[n], step)
        np.testing.assert_allclose(losses[n], expected, rtol=TOLERANCE)
        found = member(states, n)
        assert found.step == state.step == STEPS
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, atol=2e-3),
            found.params,
            state.params,
        )
    assert not np.allclose(losses[0], losses[2])


def test_a_proxy_that_is_not_finite_does_not_touch_the_others(
    make_program, make_batches, shares
):
    population = Population(program=make_program("decoder"), seeds=(0, 0))
    (batch,) = make_batches("decoder")
    weights = np.where(batch.decoder.loss_weights > 0, np.inf, 0).astype(np.float32)
    bad = batch._replace(decoder=batch.decoder._replace(loss_weights=weights))
    before = jax.device_get(population.initial_state())
    step = population.compile_train_step()
    both = np.stack([shares, shares])
    states, metrics = step(
        population.initial_state(), population.place([bad, batch]), both
    )
    assert np.asarray(metrics.finite).tolist() == [False, True]
    for n, same in enumerate((True, False)):
        moved = jax.tree.map(
            lambda a, b: bool(np.array_equal(a, b)),
            member(before.params, n),
            member(jax.device_get(states.params), n),
        )
        assert all(jax.tree.leaves(moved)) == same


def test_devices_share_out_the_proxies_and_send_nothing(make_program, make_batches):
    seeds = tuple(range(4))
    batches = batches_of(make_batches, "decoder", 4)
    shares = np.stack([shares_of(MIXES[n % 3]) for n in range(4)])
    one = Population(program=make_program("decoder"), seeds=seeds)
    four = Population(
        program=make_program("decoder", mesh={"data": 2, "fsdp": 2}), seeds=seeds
    )
    compiled = four.compile_train_step()
    text = compiled.as_text()
    collectives = "all-reduce|all-gather|all-to-all|collective-permute"
    assert not re.findall(rf"\b({collectives})\b", text)
    state = four.initial_state()
    assert all(len(x.sharding.device_set) == 4 for x in jax.tree.leaves(state))
    np.testing.assert_allclose(
        together(four, batches, shares)[1],
        together(one, batches, shares)[1],
        rtol=TOLERANCE,
    )


def test_the_evaluation_of_each_is_that_of_its_parameters(make_program, make_batches):
    program = make_program("decoder")
    population = Population(program=program, seeds=(0, 1))
    states = population.initial_state()
    (batch,) = make_batches("decoder")
    sums = population.compile_eval_step()(states.params, batch)
    evaluate = program.compile_eval_step()
    for n in range(2):
        expected = evaluate(member(states.params, n), program.place(batch))
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=TOLERANCE, atol=1e-4),
            member(sums, n),
            expected,
        )


@pytest.mark.parametrize("seeds", [(), (0, 1, 2), (0, 1, 2, -4)])
def test_a_population_that_does_not_divide_is_refused(seeds, make_program):
    program = make_program("decoder", mesh={"data": 4})
    with pytest.raises(UsageError, match=r"4 devices; train 4|seed of the population"):
        Population(program=program, seeds=seeds)
