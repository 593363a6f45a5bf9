"""SIGTERM and SIGHUP end at once what has nothing to save, with status 75."""

import signal
import subprocess
import sys
import threading
import time

import pytest

from sightline.launch.hosts.leaving import STOPPED
from sightline.launch.hosts.stop_at_once import SIGNALS, StopAtOnce
from sightline.launch.training.stop import StopRequest

BUSY = """
import ctypes, signal, sys
from sightline.launch.hosts.stop_at_once import StopAtOnce

ignored = list(map(int, sys.argv[1:]))
for number in (signal.SIGTERM, signal.SIGHUP):  # whatever the tests were started with
    signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)
with StopAtOnce():
    # Its thread takes them: nothing wakes the main one, as if XLA compiled there.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGHUP])
    print("ready", flush=True)
    ctypes.CDLL(None).sleep(120)
"""


@pytest.fixture
def busy():
    """`busy(*ignored)`: a process that is told nothing while it is busy."""
    started = []

    def start(*ignored):
        words = [str(int(number)) for number in ignored]
        process = subprocess.Popen(
            [sys.executable, "-c", BUSY, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_busy_process_ends_at_once(busy, number):
    process = busy()
    process.send_signal(number)
    _, told = process.communicate(timeout=20)
    assert process.returncode == STOPPED == 75
    assert told == (
        f"Stopped by {number.name}, with nothing to save; rerun the same command.\n"
    )


def test_what_is_ignored_stays_so(busy):
    process = busy(signal.SIGHUP)
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.5)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == STOPPED


def test_a_request_takes_its_place_and_everything_is_put_back():
    before = [signal.getsignal(number) for number in SIGNALS]
    threads = threading.active_count()
    with StopAtOnce():
        handlers = [signal.getsignal(number) for number in SIGNALS]
        assert handlers != before
        with StopRequest() as stop:
            signal.raise_signal(signal.SIGTERM)
            time.sleep(0.1)  # in which it would leave
            assert stop.reason == "SIGTERM"
        assert [signal.getsignal(number) for number in SIGNALS] == handlers
    assert [signal.getsignal(number) for number in SIGNALS] == before
    assert threading.active_count() == threads
    assert signal.set_wakeup_fd(-1) == -1


def test_another_thread_changes_no_handlers():
    seen = []

    def look():
        with StopAtOnce():
            seen.extend(signal.getsignal(number) for number in SIGNALS)

    before = [signal.getsignal(number) for number in SIGNALS]
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == before
