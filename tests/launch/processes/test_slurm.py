"""A run through a real SLURM, which slurm.sh beside this file starts: make slurm."""

import os
import signal
import subprocess
import sys
import time

import pytest
from process_runs import last_batch
from trial_runs import last_step, saved_steps, trace

pytestmark = [
    pytest.mark.unchecked,
    pytest.mark.skipif(
        "SLURM_CONF" not in os.environ, reason="no SLURM: start it by `make slurm`"
    ),
]

RUN = ("STEPS=40", "train.checkpoint_every=4", "train.eval_every=40")


@pytest.fixture
def srun(rows, compiled):
    """`srun(run_dir, tasks=…)`: a `sightline train` of so many tasks."""

    def srun(run_dir, *, tasks):
        words = [f"--gin.{text}" for text in (*rows, *RUN)]
        return subprocess.Popen(
            [
                *("srun", f"--ntasks={tasks}", "--overcommit", "--label"),
                *(sys.executable, "-m", "sightline", "train"),
                *("--gin_file=any_mixture.gin", f"--run_dir={run_dir}", *words),
            ],
            env={
                **os.environ,
                "JAX_NUM_CPU_DEVICES": str(8 // tasks),
                "JAX_COMPILATION_CACHE_DIR": str(compiled),
                "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
                "TF_CPP_MIN_LOG_LEVEL": "3",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return srun


def finished(process):
    output, _ = process.communicate(timeout=180)
    return process.returncode, output


def test_two_tasks_train_as_one_and_go_on_as_another_number(srun, tmp_path):
    alone, together = tmp_path / "alone", tmp_path / "together"
    status, output = finished(srun(alone, tasks=1))
    assert status == 0, output

    process = srun(together, tasks=2)
    while last_step(together) < 5 and process.poll() is None:
        pass
    # As SLURM does before a job's time is up (--signal=TERM@60).
    job = subprocess.run(["squeue", "-h", "-o", "%i"], capture_output=True, text=True)
    subprocess.run(["scancel", "--signal=TERM", job.stdout.strip()], check=True)
    status, output = finished(process)
    assert status == 75, output
    stopped = saved_steps(together)[-1]
    assert 5 <= stopped < 40
    print(f"two tasks stopped after step {stopped}")

    for tasks in (1, 2):
        status, output = finished(srun(together, tasks=tasks))
        assert status == 0, output
    found, wanted = trace(together), trace(alone)
    assert [step["step"] for step in found] == list(range(1, 41))
    for one, other in zip(found, wanted, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-6)
    for step in range(4, 41, 4):
        assert last_batch(together, step) == last_batch(alone, step)


def test_a_task_that_is_killed_ends_the_job(srun, tmp_path):
    run_dir = tmp_path / "run"
    process = srun(run_dir, tasks=2)
    while last_step(run_dir) < 5 and process.poll() is None:
        pass
    pids = subprocess.run(
        ["scontrol", "listpids"], capture_output=True, text=True, check=True
    ).stdout
    # PID JOBID STEPID LOCALID GLOBALID, of the tasks and of what serves them.
    lines = [line.split() for line in pids.splitlines()[1:]]
    (victim,) = {int(line[0]) for line in lines if line[4] == "1"}
    os.kill(victim, signal.SIGKILL)
    status, output = finished(process)
    assert status != 0
    assert "process 1 (" in output


def test_a_submitted_job_stops_and_goes_on_by_itself(rows, compiled, tmp_path):
    """The rendered script: a signal, status 75, the same job again, and the end."""
    run_dir = tmp_path / "run"
    variables = {
        "JAX_PLATFORMS": "cpu",
        "JAX_NUM_CPU_DEVICES": "1",
        "JAX_COMPILATION_CACHE_DIR": str(compiled),
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }
    command = [
        *(sys.executable, "-m", "sightline", "submit", "slurm", "--apply"),
        *("--nodes=1", "--tasks_per_node=2", "--time=10", f"--run_dir={run_dir}"),
        *("--gin_file=any_mixture.gin", "--name=submitted"),
        *(f"--gin.{text}" for text in (*rows, *RUN)),
        *(f"--env={name}={value}" for name, value in variables.items()),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    job = done.stdout.split()[-1]
    output = tmp_path / f"submitted-{job}.out"

    def said():
        return output.read_text() if output.exists() else ""

    def wait_for(there, *, seconds=180):
        end = time.monotonic() + seconds
        while not there():
            assert time.monotonic() < end, said()
            time.sleep(0.2)

    wait_for(lambda: last_step(run_dir) >= 5)
    subprocess.run(["scancel", "--signal=TERM", job], check=True)
    wait_for(lambda: "exit status 75" in said())
    assert 5 <= saved_steps(run_dir)[-1] < 40
    wait_for(lambda: "exit status 0" in said())
    assert last_step(run_dir) == 40
    assert "All 40 steps are done" in said()
