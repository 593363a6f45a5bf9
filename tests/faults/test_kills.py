"""Runs that are told to stop, or killed: they go on as if nothing had happened."""

import os
import random
import signal
import time

import pytest
from one_process import EVERY, STEPS
from trial_runs import kill_in_save, last_step, same, saved_steps

pytestmark = pytest.mark.faults

LAST = 120


@pytest.fixture(scope="module")
def runs(trial):
    """Runs of some length, and one that is left alone."""
    runs = trial(f"STEPS={LAST}")
    runs.finish("whole")
    return runs


def assert_equal_to_whole(runs, name):
    runs.finish(name)
    assert same(runs.folder / name, runs.folder / "whole", step=LAST)


@pytest.mark.fault(1)
@pytest.mark.parametrize("seed", range(3))
def test_sigterm_at_a_random_step(fault, runs, seed):
    """Three times to one run."""
    name, rng = f"stopped-{seed}", random.Random(seed)
    print("seed", seed)
    step = 0
    for _ in range(3):
        step += rng.randrange(1, 30)
        with fault() as noticed:
            run = runs.start(name)
            run.wait_for_step(step)
            began = time.monotonic()
            run.kill(signal.SIGTERM)
            assert run.wait(limit=30) == [os.EX_TEMPFAIL]
            noticed(since=began, steps_lost=0)
            assert saved_steps(run.folder)[-1] == last_step(run.folder)
        step = last_step(run.folder)
    with fault():
        assert_equal_to_whole(runs, name)


@pytest.mark.fault(3)
@pytest.mark.parametrize("seed", range(4))
def test_a_kill_while_saving(fault, runs, seed):
    """Five kills of one run, each at a random moment of a random save."""
    name, rng = f"killed-{seed}", random.Random(seed)
    print("seed", seed)
    for _ in range(5):
        with fault() as noticed:
            run = runs.start(name)
            before = saved_steps(run.folder)
            moment = kill_in_save(run, rng)
            committed = saved_steps(run.folder)
            assert committed[-1:] >= before[-1:]
            step = last_step(run.folder)
            print(f"killed while {moment} at step {step}, committed {committed}")
            noticed(since=None, steps_lost=step - max(committed, default=0))
    with fault():
        assert_equal_to_whole(runs, name)


SLOW = """
import os, time
def slow(rename):
    def renamed(source, *others, **named):
        if ".orbax-checkpoint-tmp" in os.fspath(source):
            time.sleep(3)
            with open(os.environ["SLOWED"], "a") as file:
                file.write(f"{source}\\n")
        return rename(source, *others, **named)
    return renamed
os.rename, os.replace = slow(os.rename), slow(os.replace)
"""
"""Commits of checkpoints take three seconds."""


@pytest.mark.fault(11)
@pytest.mark.parametrize("every", [EVERY, STEPS, 3 * STEPS])
def test_a_run_that_ends_while_its_last_checkpoint_is_slow(
    fault, trial, tmp_path, every
):
    (tmp_path / "sitecustomize.py").write_text(SLOW)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    slowed = tmp_path / "slowed"
    runs = trial(
        f"train.checkpoint_every={every}",
        "STEPS=10" if every == EVERY else f"STEPS={STEPS}",
        environment={"PYTHONPATH": path, "SLOWED": str(slowed)},
    )
    last = 10 if every == EVERY else STEPS
    with fault() as noticed:
        run = runs.finish("run")
        noticed(since=None, steps_lost=0)
        assert f"{last}.orbax-checkpoint-tmp" in slowed.read_text()
        assert saved_steps(run.folder)[-1] == last == last_step(run.folder)
        again = runs.finish("run")
        assert "All" in runs.log("run") and last_step(again.folder) == last
