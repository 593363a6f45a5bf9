"""An error in one process ends all of them, and all say what went wrong first."""

import json
import socket
import types
from functools import partial

import pytest

from sightline.launch.hosts import stacks
from sightline.launch.hosts.leaving import PEER_FAILED, STALLED, STOPPED

HOST = socket.gethostname()


class Clock:
    """Stands still, but for what is slept; `during` is called in every sleep."""

    def __init__(self, during=lambda: None):
        self.now, self.during = 1000.0, during

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        self.during()


@pytest.fixture(autouse=True)
def no_process_is_ended_later():
    yield
    stacks.end_never()


@pytest.fixture
def three(peers, at_once):
    started = peers(3)
    at_once(peer.coordination.introduce for peer in started)
    return started


def test_the_first_failure_is_told_by_all_and_the_first_process_leaves_last(
    three, at_once, capfd
):
    left = []
    for number, peer in enumerate(three):
        peer.watch._FAREWELL_SECONDS = 60.0

        def leave(status, number=number):
            left.append(number)
            raise SystemExit(status)

        peer.watch.leave = leave
    errors = at_once(
        partial(peer.watch.fail, f"broken by {n}", status=5)
        for n, peer in enumerate(three)
    )
    text = capfd.readouterr().err
    assert sorted(error.code for error in errors) == [5, PEER_FAILED, PEER_FAILED]
    first = [error.code for error in errors].index(5)
    for number in range(3):
        assert (f"broken by {number}" in text) == (number == first)
        here = f"process {number} ({HOST})"
        follows = f"process {first} ({HOST}) failed, so this one, {here}, leaves"
        assert (follows in text) == (number != first)
    assert f"sightline: process {first} ({HOST}): broken by {first}\n" in text
    assert left[-1] == 0


@pytest.mark.parametrize(
    ("status", "follower", "word"),
    [
        (STALLED, STALLED, "failed"),
        (STOPPED, STOPPED, "was stopped"),
        (2, PEER_FAILED, "failed"),
    ],
)
def test_a_stall_and_a_stop_are_of_the_whole_run(
    three, at_once, capfd, status, follower, word
):
    """Who follows has the status of what is the run's; a stall shows all stacks."""
    stacks = []
    for number, peer in enumerate(three):
        dump = partial(stacks.append, number)
        peer.watch.stacks = types.SimpleNamespace(dump=dump)
    failing = partial(three[1].watch.fail, "no progress", status=status)
    others = (
        partial(peer.watch.follow, peer.watch.Failure(1, "no progress", status))
        for peer in (three[0], three[2])
    )
    errors = at_once((failing, *others))
    assert [error.code for error in errors] == [status, follower, follower]
    assert sorted(stacks) == ([0, 1, 2] if status == STALLED else [])
    text = capfd.readouterr().err
    assert text.count(f"process 1 ({HOST}) {word}, so this one") == 2


@pytest.mark.parametrize(("gone", "waits"), [(2, False), (1, True)])
def test_nobody_waits_for_who_is_gone(three, gone, waits):
    """Of three, the first leaves at once if two are gone; else it gives them time."""
    first = three[0].watch
    first.time = Clock()
    with pytest.raises(SystemExit):
        first.fail("two are silent", status=PEER_FAILED, gone=gone)
    assert (first.time.now > 1000.0) == waits
    assert first.time.now <= 1000.0 + first._FAREWELL_SECONDS + 1


def test_who_falls_silent_is_missed_and_named_with_what_it_did(three, capfd):
    first, clock = three[0].watch, Clock()
    first.time = clock
    watched = first.Watch()
    three[2].coordination.tell_state(1, "saving step 4", 0.0)
    for beat in range(4):
        three[0].coordination.tell_state(beat, "running step 5", 0.0)
        three[1].coordination.tell_state(beat, "running step 5", 0.0)
        watched._miss_the_silent()
        clock.now += first.SILENT_SECONDS / 3
    assert capfd.readouterr().err == ""  # 15 s since its beat, and no longer
    three[0].coordination.tell_state(4, "running step 5", 0.0)
    three[1].coordination.tell_state(4, "running step 5", 0.0)
    with pytest.raises(SystemExit) as left:
        watched._miss_the_silent()
    assert left.value.code == PEER_FAILED
    text = capfd.readouterr().err
    assert f"process 2 ({HOST}) has been silent for 15 s" in text
    assert "It was saving step 4." in text and "process 1" not in text
    told = json.loads(three[1].coordination.signals()["failure"])
    assert three[1].watch.Failure(*told).gone == 1


@pytest.mark.parametrize("silent", [True, False])
def test_an_error_of_a_collective_is_laid_to_who_has_fallen_silent(
    three, silent, capfd
):
    def beat(number):
        for peer in three[:2] if silent else three:
            peer.coordination.tell_state(number, "running step 5", 0.0)

    for peer in three:
        peer.coordination.tell_state(1, "running step 5", 0.0)
    three[0].watch.time = Clock(during=lambda: beat(2))
    with pytest.raises(SystemExit) as left:
        three[0].watch.fail_with_collective("connection reset")
    text = capfd.readouterr().err
    assert "connection reset" in text
    assert left.value.code == (PEER_FAILED if silent else 1)
    named = f"gone or stopped: process 2 ({HOST}), running step 5. What this broke:"
    assert (named in text) == silent


@pytest.fixture
def listener(three):
    """The second process, which looks at the others without a pause."""
    three[1].watch.BEAT_SECONDS = 0.01
    three[1].watch._FAREWELL_SECONDS = 0
    return three[1].watch.Watch()


def test_a_listener_follows_a_failure_of_another(three, listener, capfd):
    three[2].coordination.raise_signal("failure", json.dumps([2, "a bug", False, 0]))
    with pytest.raises(SystemExit) as left:
        listener._listen()
    assert left.value.code == PEER_FAILED
    assert "leaves as well:\na bug\n" in capfd.readouterr().err


def test_a_listener_does_not_leave_before_the_thread_that_failed(three, listener):
    """That thread has still to say why, and to wait for the others."""
    three[1].coordination.raise_signal("failure", json.dumps([1, "mine", False, 0]))
    listener._listen()  # ends, and leaves nothing


def test_a_listener_beats_and_hears_of_a_stop(three, listener):
    three[1].progress.did("compiling")
    three[0].coordination.raise_signal("stop", "SIGTERM on the first")
    listener.start()
    while three[1].stopping.reason() == "":
        assert listener._thread.is_alive()
    listener.stop()
    (state,) = three[2].coordination.states()
    assert (state.process, state.what) == (1, "compiling") and state.beat >= 1
    assert 0 <= state.seconds < 600  # since it began, not since the machine did
    assert three[1].stopping.reason() == "SIGTERM on the first"


def test_the_first_process_listens_for_those_that_fall_silent(three, capfd):
    first = three[0].watch
    first.BEAT_SECONDS, first.SILENT_SECONDS, first._FAREWELL_SECONDS = 0.01, 0.03, 0
    three[2].coordination.tell_state(1, "saving step 4", 0.0)
    with pytest.raises(SystemExit) as left:
        first.Watch()._listen()
    assert left.value.code == PEER_FAILED
    assert f"process 2 ({HOST}) has been silent" in capfd.readouterr().err


def test_a_listener_leaves_when_the_first_process_is_gone(lost, capfd):
    lost.watch.BEAT_SECONDS = 0.01
    with pytest.raises(SystemExit) as left:
        lost.watch.Watch()._listen()
    assert left.value.code == PEER_FAILED
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("sightline: process 0 cannot be reached any more: UNAVAIL")
