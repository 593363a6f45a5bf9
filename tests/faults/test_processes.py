"""What a run of two processes does when one of them fails, stalls or is killed."""

import contextlib
import random
import signal
import time

import pytest
from process_runs import at_step, last_batch, on, statuses
from trial_runs import fingerprints, last_step, same, saved_steps, trace

pytestmark = [pytest.mark.unchecked, pytest.mark.faults]

STEPS, EVERY = 40, 4
RUN = (f"STEPS={STEPS}", f"train.checkpoint_every={EVERY}", "train.eval_every=40")

SILENT = 20
"""Seconds after which a process that died has been missed: the limit of 15, and 5."""


@pytest.fixture(scope="module")
def whole(start, tmp_path_factory):
    """A run of two processes that was left alone."""
    run_dir = tmp_path_factory.mktemp("whole") / "run"
    with start(run_dir, *RUN) as run:
        assert statuses(run.wait()) == [0, 0]
    return run_dir


def wait_for_moment(run, run_dir, rng):
    """Waits for a random step, and then a random part of the next."""
    step = rng.randrange(1, STEPS - 10)
    run.wait_for(lambda: last_step(run_dir) >= step)
    time.sleep(rng.uniform(0, 0.05))


@pytest.fixture(params=range(3))
def signalled(request, start, tmp_path):
    """`with signalled(victim, signal)`: a run; the signal came at a random moment.

    Gives the run, its directory, and when the signal was sent.
    """
    run_dir = tmp_path / "run"

    @contextlib.contextmanager
    def signalled(victim, number):
        with start(run_dir, *RUN) as run:
            wait_for_moment(run, run_dir, random.Random(request.param))
            run.send(victim, number)
            yield run, run_dir, time.monotonic()

    return signalled


def assert_resumes(start, run_dir, whole):
    with start(run_dir, *RUN) as run:
        assert statuses(run.wait()) == [0, 0]
    assert same(run_dir, whole, step=STEPS)


@pytest.mark.fault(1)
@pytest.mark.parametrize("victim", [0, 1])
def test_sigterm_on_one_process_stops_both_at_one_step(
    victim, signalled, start, whole, fault
):
    with fault() as noticed:
        with signalled(victim, signal.SIGTERM) as (run, run_dir, began):
            outcomes = run.wait(seconds=60)
            seconds = time.monotonic() - began
        assert statuses(outcomes) == [75, 75]
        assert seconds < 30
        newest = saved_steps(run_dir)[-1]
        reason = f"Stopped by SIGTERM on process {victim} ("
        assert reason in outcomes[0].output
        assert f"after step {newest:,};" in outcomes[0].output
        noticed(since=began, steps_lost=last_step(run_dir) - newest)
        assert last_step(run_dir) == newest
        assert_resumes(start, run_dir, whole)


COMPILING = """
import ctypes
from sightline.launch.training.program import Program

def _compile(program):
    print("compiling", flush=True)
    while True:
        ctypes.CDLL(None).sleep(60)
Program.compile_train_step = _compile
"""
"""As XLA does for minutes: no Python runs in the main thread."""


@pytest.mark.fault(1)
@pytest.mark.parametrize(("victim", "processes"), [(0, 1), (0, 2), (1, 2)])
def test_sigterm_before_the_first_step_stops_at_once(
    victim, processes, start, fault, tmp_path
):
    run_dir = tmp_path / "run"
    settings = {"processes": processes, "before": lambda number: COMPILING}
    with fault() as noticed:
        with start(run_dir, *RUN, **settings) as run:
            run.wait_for(
                lambda: all("compiling" in run.output(n) for n in run.processes)
            )
            began = time.monotonic()
            run.send(victim, signal.SIGTERM)
            outcomes = run.wait(seconds=60)
        noticed(since=began, steps_lost=0)
        assert time.monotonic() - began < 10
        assert statuses(outcomes) == [75] * processes
        assert "Stopped by SIGTERM. What it has trained" in outcomes[0].output
        assert saved_steps(run_dir) == []


@pytest.mark.fault(2)
@pytest.mark.parametrize("victim", [0, 1])
def test_a_process_that_is_killed_ends_the_other(
    victim, signalled, start, whole, fault
):
    with fault() as noticed:
        with signalled(victim, signal.SIGKILL) as (run, run_dir, began):
            status = run.processes[1 - victim].wait(timeout=120)
            output = run.output(1 - victim)
        seconds = time.monotonic() - began
        lost = last_step(run_dir) - max(saved_steps(run_dir), default=0)
        noticed(since=began, steps_lost=lost)
        assert seconds < SILENT
        # Without process 0 there is no service, and jax may abort at once.
        assert status in ((77,) if victim == 1 else (77, -signal.SIGABRT))
        if victim == 1:
            assert "process 1 (" in output
        assert_resumes(start, run_dir, whole)


@pytest.mark.fault(3)
@pytest.mark.parametrize("victim", [0, 1])
@pytest.mark.parametrize("seed", range(4))
def test_killed_while_saving(seed, victim, start, whole, fault, tmp_path):
    run_dir, rng = tmp_path / "run", random.Random(seed)
    with fault() as noticed:
        with start(run_dir, *RUN) as run:
            first = rng.choice(range(EVERY, STEPS // 2, EVERY))
            folder = run_dir / "checkpoints"
            pattern = f"{first}.orbax-checkpoint-tmp*"
            run.wait_for(lambda: any(folder.glob(pattern)))
            time.sleep(rng.uniform(0, 0.08))
            run.send(victim, signal.SIGKILL)
            run.processes[1 - victim].wait(timeout=120)
        kept = saved_steps(run_dir)
        assert kept[:1] == [EVERY][: len(kept)]
        lost = last_step(run_dir) - max(kept, default=0)
        noticed(since=None, steps_lost=lost)
        assert_resumes(start, run_dir, whole)


@pytest.mark.fault(4)
@pytest.mark.parametrize("victim", [0, 1])
def test_an_exception_in_one_process_ends_both(victim, start, fault, tmp_path):
    code = at_step(3, "raise RuntimeError('no such luck')")
    with fault() as noticed:
        with start(tmp_path / "run", *RUN, before=on(victim, code)) as run:
            run.wait_for(lambda: "no such luck" in run.output(victim))
            began = time.monotonic()
            outcomes = run.wait(seconds=60)
        noticed(since=began)
        assert time.monotonic() - began < 15
        assert outcomes[victim].status == 1
        other = outcomes[1 - victim]
        assert other.status == 77
        assert "RuntimeError: no such luck" in other.output
        assert f"process {victim} (" in other.output


@pytest.mark.fault(7)
def test_stopped_on_four_hosts_and_resumed_on_two_and_one(
    start, whole, fault, tmp_path
):
    """The same rows at every step, and bit for bit the state that was saved."""
    run_dir = tmp_path / "shrinking"
    stop = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
    with fault():
        for processes, step in ((4, 9), (2, 22), (1, None)):
            before = on(0, at_step(step, stop)) if step else on(0, "")
            saved = max(saved_steps(run_dir), default=0)
            prints = fingerprints(run_dir, saved) if saved else {}
            with start(run_dir, *RUN, processes=processes, before=before) as run:
                outcomes = run.wait()
            assert statuses(outcomes) == [75 if step else 0] * processes
            if saved:
                # Arrays are restored only with the fingerprints of their checkpoint.
                assert f"after step {saved}." in outcomes[0].output
                assert "unusable" not in outcomes[0].output
                assert fingerprints(run_dir, saved) == prints
        found, wanted = trace(run_dir), trace(whole)
        assert [step["step"] for step in found] == list(range(1, STEPS + 1))
        for one, other in zip(found, wanted, strict=True):
            assert one["loss"] == pytest.approx(other["loss"], rel=1e-6)
        for step in range(EVERY, STEPS + 1, EVERY):
            assert last_batch(run_dir, step) == last_batch(whole, step)


@pytest.mark.fault(16)
@pytest.mark.parametrize("victim", [0, 1])
def test_a_process_that_is_stopped_ends_the_other(victim, start, fault, tmp_path):
    run_dir = tmp_path / "run"
    with fault() as noticed:
        with start(run_dir, "STEPS=99999") as run:
            run.wait_for(lambda: last_step(run_dir) >= 4)
            run.send(victim, signal.SIGSTOP)
            began = time.monotonic()
            status = run.processes[1 - victim].wait(timeout=120)
            output = run.output(1 - victim)
        noticed(since=began)
        # Process 0 holds the service: it is missed by jax, after its limit of 45 s.
        assert time.monotonic() - began < (SILENT if victim == 1 else 55)
        assert status in ((77,) if victim == 1 else (77, -signal.SIGABRT))
        if victim == 1:
            assert "process 1 (" in output
            assert "has been silent for 15 s" in output or "gone or stopped" in output


@pytest.mark.fault(16)
@pytest.mark.parametrize("victim", [0, 1])
def test_a_stuck_process_is_named(victim, start, fault, tmp_path):
    run_dir = tmp_path / "run"
    before = on(victim, at_step(3, "import time; time.sleep(600)"))
    with fault() as noticed:
        with start(
            run_dir, "STEPS=99999", "train.stall_seconds=10", before=before
        ) as run:
            run.wait_for(lambda: last_step(run_dir) >= 2)
            began = time.monotonic()
            outcomes = run.wait()
        noticed(since=began)
        assert statuses(outcomes) == [76, 76]
        for number, outcome in outcomes.items():
            assert "no progress for" in outcome.output
            assert "Thread 0x" in (run_dir / f"stacks-{number}.txt").read_text()
        assert "in _patched" in (run_dir / f"stacks-{victim}.txt").read_text()
