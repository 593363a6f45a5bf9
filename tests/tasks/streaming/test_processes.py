"""How processes that make data end, and what they say of it."""

import os
import signal
import threading
from multiprocessing import Pipe

import pytest

from sightline.tasks.streaming.processes import DataProcessError, Team, send_error


@pytest.fixture
def team():
    found = Team()
    yield found
    found.close()


@pytest.mark.parametrize(
    ("target", "argument", "message"),
    [
        (os._exit, 3, r"'a maker' \(pid \d+\), .* ended with status 3; its error is"),
        (signal.raise_signal, signal.SIGUSR1, r"was killed by SIGUSR1\.$"),
        (signal.raise_signal, signal.SIGKILL, "killed by SIGKILL; .* memory ran out"),
    ],
)
def test_a_process_that_ends_is_told_with_its_status(team, target, argument, message):
    ours, theirs = Pipe()
    team.start("a maker", target, argument)
    with pytest.raises(DataProcessError, match=message):
        team.wait_for(ours)
    theirs.close()
    ours.close()


def test_what_a_process_sent_before_it_ended_is_read_first(team):
    ours, theirs = Pipe()
    team.start("ended", os._exit, 0)
    assert "ended with status 0" in str(team.ended())
    theirs.send("its last")
    team.wait_for(ours)
    assert ours.recv() == "its last"
    theirs.close()
    ours.close()


def spin():
    while True:
        pass


def test_the_time_of_all_processes_is_counted(team):
    team.start("one", spin)
    while team.cpu_seconds() < 0.02:
        pass
    os.kill(team._processes[0].pid, signal.SIGSTOP)
    first = team.cpu_seconds()
    team.start("(another) one", spin)
    while team.cpu_seconds() <= first + 0.01:
        pass


class Unpicklable(ValueError):
    """An error that holds what cannot be sent."""

    def __init__(self, message):
        super().__init__(message)
        self.lock = threading.Lock()


class Unmakeable(ValueError):
    """An error that can be written, and not be made again from its message alone."""

    def __init__(self, message, more):
        super().__init__(message)
        self.more = more


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (KeyError("gone"), KeyError),
        (Unpicklable("gone"), RuntimeError),
        (Unmakeable("gone", 1), RuntimeError),
    ],
)
def test_an_error_is_sent_with_its_traceback_or_as_text(error, kind):
    ours, theirs = Pipe()
    try:
        raise error
    except Exception as raised:
        send_error(theirs, raised)
    name, found = ours.recv()
    assert name == "error" and type(found) is kind and "gone" in str(found)
    told = "".join(getattr(found, "__notes__", [str(found)]))
    assert "Traceback" in told and "test_processes.py" in told
    ours.close()
    theirs.close()
