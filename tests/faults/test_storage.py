"""A disk that is full: a clear error, nothing lost, and on once there is room."""

import contextlib
import os
import resource
import subprocess
import time

import pytest
from one_process import EVERY
from trial_runs import last_step, same, saved_steps

pytestmark = [pytest.mark.faults, pytest.mark.fault(12)]

STEPS = 200


@pytest.fixture(scope="module")
def runs(trial):
    """Runs of some length, and one that is left alone."""
    runs = trial(f"STEPS={STEPS}")
    runs.finish("whole")
    return runs


def assert_told_and_nothing_lost(noticed, run, runs, *, began, saved):
    """The run ends with an error soon, and what was committed is still there."""
    (status,) = run.wait(limit=60)
    said = runs.log(run.folder.name)
    steps = saved_steps(run.folder)
    noticed(since=began, steps_lost=last_step(run.folder) - steps[-1])
    assert status == 2, said
    # TensorStore's threads may print tracebacks of their own before.
    *_, last = said.splitlines()
    assert last.startswith("sightline: ") and "could not be written to" in last
    assert "/launch/" not in said
    assert steps[-1] >= saved


def test_no_file_may_grow(fault, runs):
    """`ulimit -f`, set from outside while the run goes on; its log has still room."""
    for size in (40_000, 150_000):
        with fault() as noticed:
            run = runs.start("limited")
            run.wait_for(lambda: saved_steps(runs.folder / "limited"))
            run.wait_for_step(last_step(run.folder) + 2 * EVERY)
            saved = saved_steps(run.folder)[-1]
            (process,) = run.processes
            hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)[1]
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, hard))
            began = time.monotonic()
            assert_told_and_nothing_lost(noticed, run, runs, began=began, saved=saved)
    with fault():
        runs.finish("limited")
        assert same(runs.folder / "limited", runs.folder / "whole", step=STEPS)


@contextlib.contextmanager
def small_disk(folder, *, megabytes):
    """A file system of its own in the folder; skips where none can be mounted."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a tmpfs can be mounted by root alone")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("left", [0, 100_000])
def test_the_disk_is_full(fault, runs, left):
    name = f"full-{left}"
    run_dir = runs.folder / name
    with small_disk(run_dir, megabytes=24), fault() as noticed:
        run = runs.start(name)
        run.wait_for(lambda: saved_steps(run_dir))
        run.wait_for_step(last_step(run_dir) + 2 * EVERY)
        saved = saved_steps(run_dir)[-1]
        ballast = run_dir / "ballast"
        fill(ballast, left=left)
        began = time.monotonic()
        assert_told_and_nothing_lost(noticed, run, runs, began=began, saved=saved)
        ballast.unlink()
        runs.finish(name)
        assert same(run_dir, runs.folder / "whole", step=STEPS)


def fill(path, *, left):
    """Fills the disk but for some bytes."""
    with path.open("wb") as file, contextlib.suppress(OSError):
        while True:
            os.write(file.fileno(), bytes(1 << 16))
    if left:
        os.truncate(path, path.stat().st_size - left)
