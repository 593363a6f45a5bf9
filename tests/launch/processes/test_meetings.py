"""Processes that meet: how long they wait for each other, and how they end if in vain.

They train nothing, so that a test takes seconds.
"""

import subprocess
import sys

import pytest
from process_runs import free_port

BEGINNING = """
import math, sys, time
from sightline.launch.hosts import coordination, progress
from sightline.launch.hosts.job import Job
from sightline.launch.hosts.processes import joined
coordinator, number = sys.argv[1], int(sys.argv[2])
with joined(Job(coordinator, 2, number), seconds=60):
    progress.set_stall_seconds(2)
"""

STUCK = """
    def stuck_here():
        time.sleep(60)
    progress.did("running step 4")
    if number == 1:
        stuck_here()
    coordination.meet("save of step 4")
"""

AS_SLOW = """
    progress.did("saving step 4", times=3)
    if number == 1:
        time.sleep(3)
    coordination.meet("save of step 4")
"""

BEFORE_THE_FIRST_STEP = """
    progress.did("starting", times=math.inf)
    if number == 1:
        time.sleep(3)
    coordination.exchange("preflight", "config")
"""

AT_THE_END = """
    progress.did("saving step 4")
    if number == 0:
        time.sleep(3)  # an upload
"""


def run_two(code):
    """Exit status and output of each of two processes."""
    coordinator = f"127.0.0.1:{free_port()}"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", BEGINNING + code, coordinator, str(number)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number in (0, 1)
    ]
    outputs = [process.communicate(timeout=120)[0] for process in running]
    return [process.returncode for process in running], outputs


def test_who_does_not_come_is_no_progress():
    statuses, outputs = run_two(STUCK)
    assert statuses == [76, 76], outputs
    for output in outputs:
        assert "1 of 2 processes have not come to 'save of step 4'" in output
        assert "last: running step 4" in output
        assert "most recent call first" in output
    assert "in stuck_here" in outputs[1]


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(AS_SLOW, id="a slow save"),
        pytest.param(BEFORE_THE_FIRST_STEP, id="before the first step"),
        pytest.param(AT_THE_END, id="at the end"),
    ],
)
def test_the_wait_is_as_long_as_what_is_done_may_take(code):
    statuses, outputs = run_two(code)
    assert statuses == [0, 0], outputs
