"""SIGTERM and SIGHUP end at once what has nothing to save, with status 75."""

import signal
import subprocess
import sys
import threading
import time

import pytest

from sightline.launch.hosts.leaving import STOPPED
from sightline.launch.hosts.stop_at_once import SIGNALS, stopping_at_once
from sightline.launch.training.stop import StopRequest

BUSY = """
import ctypes, signal, sys, threading
from sightline.launch.hosts import coordination
from sightline.launch.hosts.stop_at_once import stopping_at_once, stop_itself

ignored = list(map(int, sys.argv[2:]))
for number in (signal.SIGTERM, signal.SIGHUP):  # whatever the tests were started with
    signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)
with stopping_at_once("Run it again."):
    # Its thread takes them: nothing wakes the main one, as if XLA compiled there.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGHUP])
    print("ready", flush=True)
    exec(sys.argv[1])
    ctypes.CDLL(None).sleep(120)
"""


@pytest.fixture
def busy():
    """`busy(*ignored, after="")`: a process that is busy once it has run a line."""
    started = []

    def start(*ignored, after=""):
        words = [after, *(str(int(number)) for number in ignored)]
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
    assert told == f"Stopped by {number.name}. Run it again.\n"


def test_it_ends_also_if_nothing_can_be_told(busy):
    process = busy(after="coordination.introduced = lambda: True")  # and no service
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == STOPPED


def test_a_process_that_stops_itself_says_why_and_leaves_with_its_status(busy):
    stop = "threading.Timer(0, stop_itself, ['lost'], {'status': 2}).start()"
    process = busy(after=stop)
    _, told = process.communicate(timeout=20)
    assert (process.returncode, told) == (2, "lost\n")


LOGGING = """
import logging, os, signal, sys, time
from sightline.launch.hosts import stop_at_once
from sightline.launch.hosts.stop_at_once import stopping_at_once

class Slow(logging.Handler):
    def emit(self, record):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.1)

stop_at_once._LEAVING_SECONDS = 1.0
signal.signal(signal.SIGTERM, signal.SIG_DFL)
with stopping_at_once("Run it again."):
    logging.getLogger().addHandler(Slow())
    logging.warning("written")
    print("goes on", flush=True)
"""


def test_nothing_is_done_after_a_signal_in_the_midst_of_a_log_line():
    """The main thread holds the log's lock, for which the other one waits."""
    command = [sys.executable, "-c", LOGGING]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (STOPPED, "")


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
    with stopping_at_once("Run it again."):
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
        with stopping_at_once("Run it again."):
            seen.extend(signal.getsignal(number) for number in SIGNALS)

    before = [signal.getsignal(number) for number in SIGNALS]
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == before
