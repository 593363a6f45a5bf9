"""Numbers that go wrong: skipped, gone back from, found in a copy, told by a replay."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from copies import flipped
from one_process import EVERY, STEPS, outcome, records
from trial_runs import saved_steps, trace

from sightline.launch.training.spikes import WINDOW

pytestmark = [pytest.mark.unchecked, pytest.mark.faults]

KEPT = "params", "opt_state", "norms"
"""Parts of the state that a skipped update leaves as they were."""


def scaled(factor, seen=None):
    """A step whose loss is multiplied; `seen` gets whether the state was kept."""

    def inject(step, state, batch, shares):
        before = jax.device_get(state)
        with np.errstate(invalid="ignore"):  # 0 · Inf
            wrong = shares * np.float32(factor)
        state, metrics = step(state, batch, wrong)
        if seen is not None:
            after = jax.device_get(state)
            seen.append(
                all(_equal(getattr(before, x), getattr(after, x)) for x in KEPT)
            )
        return state, metrics

    return inject


def _equal(a, b):
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return all(np.asarray(x).tobytes() == np.asarray(y).tobytes() for x, y in pairs)


@pytest.mark.fault(9)
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("number", [1, 2, 20])
def test_a_step_that_is_not_finite_is_skipped_alone(
    fault, value, number, train, faults, tmp_path
):
    seen = []
    faults.at[number] = scaled(value, seen)
    with fault():
        assert train(tmp_path / "run", "train.max_consecutive_skips=3") == 0
        assert seen == [True]
        steps = trace(tmp_path / "run")
        assert [s["step"] for s in steps if s["skipped"]] == [number]
        assert all(np.isfinite(s["loss"]) for s in steps if s["step"] != number)


@pytest.mark.fault(9)
def test_a_streak_is_an_error_and_leaves_good_checkpoints(
    fault, train, faults, whole, tmp_path, capsys
):
    seen = []
    faults.at |= dict.fromkeys(range(17, 40), scaled(np.nan, seen))
    run_dir = tmp_path / "run"
    with fault() as noticed:
        assert train(run_dir, "train.max_consecutive_skips=4") == 2
        noticed(steps_lost=1)
        assert seen == [True] * 4
        said = capsys.readouterr()
        assert "step 20: the last 4 updates were skipped (4 in all)" in said.err
        assert "rows 128 to 135" in said.out
        assert saved_steps(run_dir)[-1] == 15
        faults.at.clear()
        assert train(run_dir, "train.max_consecutive_skips=4") == 0
        assert outcome(run_dir) == outcome(whole)


SPIKES = "train.spike_deviations=6.0"
LONG = f"STEPS={WINDOW + 32}"


@pytest.mark.fault(10)
def test_a_spike_is_skipped_alone(fault, train, faults, tmp_path):
    seen, number = [], WINDOW + 4
    faults.at[number] = scaled(1e3, seen)
    with fault():
        assert train(tmp_path / "run", SPIKES, LONG) == 0
        assert seen == [True]
        steps = trace(tmp_path / "run")
        assert {s["step"]: s["skipped"] for s in steps if s["skipped"]} == {
            number: "spike"
        }


@pytest.mark.fault(10)
@pytest.mark.parametrize("value", [1e3, np.nan])
def test_a_streak_is_gone_back_from_and_saves_go_on(
    fault, value, train, faults, tmp_path, capsys
):
    """The rows of steps 138 to 140 spike; the batches after them are read instead."""
    run_dir, bad = tmp_path / "run", []

    def spiking(step, state, batch, shares):
        bad.append(batch.decoder.tokens)
        return scaled(value)(step, state, batch, shares)

    def once(step, state, batch, shares):
        """Only the rows that spiked the first time do."""
        again = any(np.array_equal(batch.decoder.tokens, b) for b in bad)
        spikes = len(bad) < 3 or again
        return (spiking if spikes else scaled(1))(step, state, batch, shares)

    faults.at |= dict.fromkeys((138, 139, 140), once)
    skips = "train.max_consecutive_skips=3", "train.rollbacks=1"
    with fault() as noticed:
        assert train(run_dir, SPIKES, LONG, *skips) == 0
        noticed(since=None, steps_lost=5)
        assert "going back from step 140 to step 135" in capsys.readouterr().out
        assert len(bad) == 3
        assert not any(s["skipped"] for s in trace(run_dir))
        assert saved_steps(run_dir)[-3:] == [150, 155, 160]
        assert [at for at, *_ in records(run_dir / "rollbacks.jsonl")] == [140]


@pytest.mark.fault(25)
@pytest.mark.parametrize("seed", range(4))
def test_a_bit_that_flips_in_one_copy_is_found(
    fault, seed, train, faults, whole, tmp_path, capsys
):
    """Checked every 2 steps; nothing that was computed with it is saved."""
    print("seed", seed)
    rng = np.random.default_rng(seed)
    number, device = int(rng.integers(6, STEPS)), int(rng.integers(8))

    def inject(step, state, batch, shares):
        state, metrics = step(state, batch, shares)
        leaves, structure = jax.tree.flatten(state.params)
        at = int(rng.integers(len(leaves)))
        bit = int(rng.integers(leaves[at].nbytes * 8))
        leaves[at] = flipped(leaves[at], device=device, bit=bit)
        return state._replace(params=jax.tree.unflatten(structure, leaves)), metrics

    faults.at[number] = inject
    run_dir = tmp_path / "run"
    words = "train.check_replicas_every=2", "MeshShape.data=8"
    with fault() as noticed:
        assert train(run_dir, *words) == 2
        last = -(-number // 2) * 2
        noticed(since=None, steps_lost=last - saved_steps(run_dir)[-1])
        said = capsys.readouterr().err
        assert f"step {min(last, STEPS)}: copies" in said or f"step {number}" in said
        assert f"device {device} " in said
        assert saved_steps(run_dir)[-1] < number
        faults.at.clear()
        assert train(run_dir, *words) == 0
        assert outcome(run_dir) == outcome(whole)


@pytest.mark.fault(26)
@pytest.mark.parametrize("bit", [19, 22, 29])
def test_a_step_that_was_computed_wrongly_is_told_by_a_replay(
    fault, bit, train, faults, tmp_path, capsys
):
    """Transient: one bit of a weight is wrong for one step. Else the step is right."""
    run_dir, number = tmp_path / "run", 3 * EVERY + 2

    def inject(step, state, batch, shares):
        params = jax.tree.map(lambda x: _with_flip(x, bit), state.params)
        return step(state._replace(params=params), batch, shares)

    faults.at[number] = inject
    assert train(run_dir) == 0
    faults.at.clear()
    with fault() as noticed:
        assert train(run_dir, f"--replay={number}") == 1
        noticed()
        assert "transient" in capsys.readouterr().out
    with fault():
        assert train(run_dir, f"--replay={number - 1}") == 0
        assert "bit-equal" in capsys.readouterr().out


@pytest.mark.fault(26)
def test_a_machine_that_goes_on_miscomputing_is_told_by_a_replay(
    fault, train, faults, tmp_path, capsys
):
    """Persistent: this machine gives another result each time, or the same wrong one.

    The same wrong one is bit-equal here, and transient where it is replayed right.
    """
    run_dir, number = tmp_path / "run", 3 * EVERY + 2
    counter = itertools.count(1)

    def varying(step, state, batch, shares):
        return scaled(1 + 1e-3 * next(counter))(step, state, batch, shares)

    faults.at[number] = varying
    assert train(run_dir) == 0
    with fault() as noticed:
        assert train(run_dir, f"--replay={number}") == 1
        noticed()
        assert "not reproducible here" in capsys.readouterr().out
    faults.at[number] = scaled(1 + 1e-3)  # as the run computed it: the same again
    with fault():
        assert train(run_dir, f"--replay={number}") == 0
        assert "bit-equal" in capsys.readouterr().out
    faults.at.clear()
    with fault():
        assert train(run_dir, f"--replay={number}") == 1
        assert "persistent fault of that host" in " ".join(
            capsys.readouterr().out.split()
        )


def _with_flip(array, bit):
    """The first element of an array with one bit flipped, in every copy."""
    words = jax.lax.bitcast_convert_type(array, jnp.uint32)
    first = words.reshape(-1)[0] ^ jnp.uint32(1 << bit)
    flat = words.reshape(-1).at[0].set(first).reshape(words.shape)
    return jax.device_put(
        jax.lax.bitcast_convert_type(flat, array.dtype), array.sharding
    )
