"""A process that leaves says what it had to say, and waits for nobody."""

import subprocess
import sys

LEAVES = """
import sys, threading, time
from sightline.launch.hosts.leaving import leave, on_leaving

def broken():
    raise OSError("the disk is full")

on_leaving(broken)
on_leaving(lambda: print("released"))
threading.Thread(target=time.sleep, args=[60]).start()
print("half a line", end=" ")
print("why", end="", file=sys.stderr)
{last}
"""


def left(last):
    return subprocess.run(
        [sys.executable, "-c", LEAVES.format(last=last)],
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_everything_is_said_and_no_thread_is_waited_for():
    done = left("leave(77)")
    assert (done.returncode, done.stdout, done.stderr) == (
        *(77, "half a line released\n"),
        "why",
    )


def test_another_thread_may_leave_and_one_status_counts():
    """The thread that leaves first decides, also where a callback takes its time."""
    done = left(
        "leaves = threading.Event()\n"
        "on_leaving(lambda: (leaves.set(), time.sleep(0.5)))\n"
        "threading.Thread(target=leave, args=[75]).start()\n"
        "leaves.wait()\n"
        "leave(1)"
    )
    assert (done.returncode, done.stdout) == (75, "half a line released\n")


def test_closed_streams_do_not_keep_the_process():
    """What is to be called prints, and raises no OSError then."""
    done = left("sys.stdout.close()\nleave(76)")
    assert (done.returncode, done.stderr) == (76, "why")
