"""Runs on this machine: the script with processes of a few lines, and a real run."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest
from process_runs import free_port
from trial_runs import last_step, saved_steps

from sightline.launch.pods.submit.local import local_script

pytestmark = pytest.mark.unchecked

PROCESS = """
number=${@: -1}; number=${number#*=}
status=$(cut -d ' ' -f $((number + 1)) <<<"$STATUSES")
echo "hello from $number"
[ "$number" != 0 ] || { printf '%s\\n' "$@"; echo "FLAGS=${FLAGS-}"; }
[ "$status" != wait ] || {
  trap 'echo saved; exit 75' TERM; echo ready
  while :; do sleep .1; done
}
printf 'last words'
exit "$status"
"""


@pytest.fixture
def script(add_program, bin_dir, monkeypatch, tmp_path):
    """`script(job, processes=2)`: of processes that end as STATUSES says."""
    add_program("python", PROCESS)
    monkeypatch.setattr(sys, "executable", str(bin_dir / "python"))

    def script(job, processes=2):
        directory = str(tmp_path)
        return local_script(job, processes=processes, port=1234, directory=directory)

    return script


def test_output_is_prefixed_and_whole(script, job, bash):
    done = bash(script(job).text, STATUSES="0 0")
    assert done.returncode == 0, done.stderr
    printed = done.stdout.splitlines()
    for line in (
        *("[0] hello from 0", "[1] hello from 1", "[1] last words"),
        *("[0] exit status 0", "[1] exit status 0", f"[0] --run_dir={job.run_dir}"),
        *("[0] --coordinator=127.0.0.1:1234", "[0] --processes=2"),
        f"[0] FLAGS={job.variables['FLAGS']}",
    ):
        assert line in printed


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ("0 0", 0),
        ("75 75", 75),
        ("0 75", 75),
        ("77 1", 1),
        ("1 77", 1),
        ("75 2", 2),
        ("77 77", 77),
        ("77 75", 77),
    ],
)
def test_the_first_cause_is_the_status(script, plain_job, bash, statuses, expected):
    assert bash(script(plain_job).text, STATUSES=statuses).returncode == expected


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_signals_are_passed_on(script, plain_job, request, name):
    process = subprocess.Popen(
        # What its parent ignores (INT in the background, HUP by nohup) stays so.
        ["env", "--default-signal=INT,HUP", "bash", "-c", script(plain_job).text],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "STATUSES": "wait wait"},
        start_new_session=True,
    )
    request.addfinalizer(lambda: _end(process))
    assert process.stdout is not None
    begun = 0
    while begun < 2:  # their traps, and that of the script, are set
        begun += "ready" in process.stdout.readline()
    time.sleep(0.3)
    process.send_signal(getattr(signal, name))
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 75, output
    assert output.count("saved") == 2


def _end(process: subprocess.Popen) -> None:
    """Leaves nothing of a script behind, also where it failed."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_a_run_stops_and_goes_on(rows, compiled, tmp_path, request):
    """Two processes, by the command alone: stopped by a signal, and resumed."""
    run_dir = tmp_path / "run"
    variables = {
        "JAX_PLATFORMS": "cpu",
        "JAX_NUM_CPU_DEVICES": "1",
        "JAX_COMPILATION_CACHE_DIR": str(compiled),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    bindings = [*rows, "STEPS=30", "train.eval_batches=0", "train.checkpoint_every=99"]
    command = [
        *(sys.executable, "-m", "sightline", "submit", "local", "--apply"),
        *("--gin_file=any_mixture.gin", f"--run_dir={run_dir}", "--processes=2"),
        *(f"--gin.{binding}" for binding in bindings),
        *(f"--env={name}={value}" for name, value in variables.items()),
    ]

    def start():
        process = subprocess.Popen(
            [*command, f"--port={free_port()}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        request.addfinalizer(lambda: _end(process))
        return process

    process = start()
    while last_step(run_dir) < 4 and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 75, output
    assert "[1] exit status 75" in output
    assert 4 <= saved_steps(run_dir)[-1] < 30

    process = start()
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert "[0] " in output and "All 30 steps are done" in output
    assert last_step(run_dir) == 30
