"""A process that makes no progress shows where it stands, and leaves."""

import subprocess
import sys

CODE = """
import sys, time
from pathlib import Path
from sightline.launch.hosts import progress
from sightline.launch.hosts.watchdog import Watchdog
progress.set_stall_seconds(1)
with Watchdog(Path(sys.argv[1])):
    time.sleep(1.5)  # nothing has begun, so nothing is late
    progress.did("compiling", times=3)
    time.sleep(1.5)
    for step in range(5):
        progress.did(f"running step {step}")
        time.sleep(.3)
    print("got on", flush=True)
    def stuck_here():
        time.sleep(60)
    stuck_here()
"""


def test_a_stall_ends_the_process(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 76, done.stderr
    assert done.stdout == "got on\n"
    assert "no progress for 1 s, running step 4" in done.stderr
    for stacks in (done.stderr, (tmp_path / "stacks-0.txt").read_text()):
        assert "stuck_here" in stacks


NO_DESCRIPTOR = """
import io, sys, time
from pathlib import Path
from sightline.launch.hosts import progress
from sightline.launch.hosts.watchdog import Watchdog
sys.stderr = io.StringIO()  # as in a notebook
progress.set_stall_seconds(1)
with Watchdog(Path(sys.argv[1])):
    progress.did("compiling")
    time.sleep(60)
"""


def test_a_stall_ends_a_process_whose_stderr_is_no_file(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", NO_DESCRIPTOR, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 76 and "time.sleep" not in done.stdout
    assert "in <module>" in (tmp_path / "stacks-0.txt").read_text()
