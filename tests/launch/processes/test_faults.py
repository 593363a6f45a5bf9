"""What a run of many processes does when one of them fails, stalls or differs."""

import signal
import time

import pytest

pytestmark = [pytest.mark.unchecked, pytest.mark.faults]

PATCH_STEP = """
from sightline.launch.training import train as _train

_stops_after = _train.stopping.stops_after
def _patched(step, *, requested):
    if step == 3:
        {action}
    return _stops_after(step, requested=requested)
_train.stopping.stops_after = _patched
"""
RAISE = PATCH_STEP.format(action="raise RuntimeError('no such luck')")
SLEEP = PATCH_STEP.format(action="import time; time.sleep(600)")


def on(process, code):
    return lambda number: code if number == process else ""


def has_step(run_dir, step):
    return lambda: (run_dir / "checkpoints" / str(step)).exists()


@pytest.mark.parametrize("victim", [0, 1])
def test_an_exception_in_one_process_ends_all(victim, start, launch, tmp_path):
    with start(tmp_path / "run", "STEPS=99999", before=on(victim, RAISE)) as run:
        run.wait_for(lambda: "no such luck" in run.output(victim))
        began = time.monotonic()
        outcomes = run.wait(seconds=60)
        assert time.monotonic() - began < 15
    assert outcomes[victim].status == 1
    other = outcomes[1 - victim]
    assert other.status == 77
    assert "RuntimeError: no such luck" in other.output
    assert f"process {victim} (" in other.output


@pytest.mark.parametrize("victim", [0, 1])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_dies_or_is_stopped_ends_all(
    victim, how, start, launch, tmp_path
):
    run_dir = tmp_path / "run"
    with start(run_dir, "STEPS=99999") as run:
        run.wait_for(has_step(run_dir, 4))
        run.send(victim, how)
        began = time.monotonic()
        status = run.processes[1 - victim].wait(timeout=120)
        seconds = time.monotonic() - began
        output = run.output(1 - victim)
    print(f"process {victim}, {how.name}: {seconds:.1f} s, status {status}")
    # Without process 0 there is no service, and jax aborts at once or after its limit.
    assert status in ((77,) if victim == 1 else (77, -signal.SIGABRT))
    assert seconds < 50
    if victim == 1:
        assert "process 1 (" in output
        assert "has been silent for 15 s" in output or "gone or stopped" in output


def test_a_stuck_process_is_named(start, launch, tmp_path):
    run_dir = tmp_path / "run"
    settings = ["STEPS=99999", "train.stall_seconds=10"]
    with start(run_dir, *settings, before=on(1, SLEEP)) as run:
        outcomes = run.wait()
    assert launch.statuses(outcomes) == [76, 76]
    for number, outcome in outcomes.items():
        assert "no progress for" in outcome.output
        assert "Thread 0x" in (run_dir / f"stacks-{number}.txt").read_text()
    assert "in _patched" in (run_dir / "stacks-1.txt").read_text()


@pytest.mark.parametrize("victim", [0, 1])
def test_sigterm_on_any_process_stops_all_at_one_step(victim, start, launch, tmp_path):
    run_dir = tmp_path / "run"
    with start(run_dir, "STEPS=99999") as run:
        run.wait_for(has_step(run_dir, 4))
        run.send(victim, signal.SIGTERM)
        began = time.monotonic()
        outcomes = run.wait(seconds=60)
        print(f"stopped within {time.monotonic() - began:.1f} s")
        assert time.monotonic() - began < 30
    assert launch.statuses(outcomes) == [75, 75]
    newest = max(int(path.name) for path in (run_dir / "checkpoints").iterdir())
    assert f"Stopped after step {newest:,}" in outcomes[0].output


def test_directories_that_are_not_shared_are_refused(start, launch, tmp_path):
    began = time.monotonic()
    with start(
        tmp_path / "run",
        "STEPS=4",
        arguments=lambda n: [f"--run_dir={tmp_path / f'run{n}'}"],
    ) as run:
        outcomes = run.wait(seconds=60)
    assert time.monotonic() - began < 60
    assert set(launch.statuses(outcomes)) <= {2, 77}
    for outcome in outcomes.values():
        assert "must be one folder that all hosts share" in outcome.output
        assert "process 1 (" in outcome.output


def test_a_peer_that_never_starts_is_named(start, launch, tmp_path):
    words = {"arguments": lambda n: ["--join_seconds=8"]}
    with start(tmp_path / "run", "STEPS=4", processes=3, start=[0, 2], **words) as run:
        outcomes = run.wait(seconds=60)
    assert {outcome.status for outcome in outcomes.values()} == {2}
    for outcome in outcomes.values():
        assert "missing: process 1." in outcome.output


def test_a_missing_coordinator_is_named(start, launch, tmp_path):
    words = {"arguments": lambda n: ["--join_seconds=5"]}
    with start(tmp_path / "run", "STEPS=4", start=[1], **words) as run:
        outcomes = run.wait(seconds=60)
    assert outcomes[1].status == 2
    assert "could not reach process 0 at 127.0.0.1:" in outcomes[1].output
