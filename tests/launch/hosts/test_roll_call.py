"""Processes find each other before jax is asked, or say who is missing."""

import contextlib
import json
import socket
import threading
import time

import pytest

from sightline.launch.hosts.job import Job
from sightline.launch.hosts.roll_call import roll_call
from sightline.objectives.errors import UsageError


@pytest.fixture
def address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def call(*jobs, seconds=5.0):
    """The error of each job's roll call, or None, and the seconds that all took."""
    errors = [None] * len(jobs)

    def run(index, job):
        try:
            roll_call(job, seconds=seconds)
        except UsageError as error:
            errors[index] = str(error)

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(jobs)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors, time.monotonic() - began


def test_all_are_there(address):
    errors, seconds = call(*(Job(address, 4, n) for n in range(4)))
    assert errors == [None] * 4
    assert seconds < 3
    with socket.create_server(("127.0.0.1", int(address.rpartition(":")[2]))):
        pass  # the port is free again


def test_the_missing_are_named_to_all(address):
    errors, _ = call(Job(address, 4, 0), Job(address, 4, 2), seconds=1.0)
    for error in errors:
        assert "2 of 4 processes are there; missing: process 1, 3." in error


def test_no_coordinator(address):
    (error,), seconds = call(Job(address, 2, 1), seconds=1.0)
    assert "could not reach process 0 at 127.0.0.1" in error
    assert "Connection refused" in error
    assert seconds < 3


def test_the_port_is_taken(address):
    host, _, port = address.rpartition(":")
    with socket.create_server((host, int(port))):
        (error,), _ = call(Job(address, 2, 0), seconds=1.0)
    assert "Address already in use" in error
    assert "another --coordinator" in error


def test_another_number_of_processes(address):
    errors, _ = call(Job(address, 3, 0), Job(address, 2, 1))
    for error in errors:
        assert "process 1 was started with --processes=2, and process 0 with" in error


def test_two_of_one_number(address):
    errors, _ = call(Job(address, 3, 0), Job(address, 3, 1), Job(address, 3, 1))
    for error in errors:
        assert "two processes say that they are process 1 of 3" in error


@contextlib.contextmanager
def reported(address, number, *, processes):
    """A process that reports to process 0, and is killed when the context ends."""
    host, _, port = address.rpartition(":")
    deadline = time.monotonic() + 5.0
    while True:
        try:
            peer = socket.create_connection((host, int(port)))
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            break
    with peer:
        report = {"process": number, "processes": processes}
        peer.sendall(f"{json.dumps(report)}\n".encode())
        time.sleep(0.3)  # so that it is read
        yield


def test_who_has_reported_and_died_is_missing(address):
    def die_and_let_the_last_come():
        with reported(address, 1, processes=3):
            pass
        errors.extend(call(Job(address, 3, 2), seconds=2.0)[0])

    errors = []
    thread = threading.Thread(target=die_and_let_the_last_come)
    thread.start()
    errors.extend(call(Job(address, 3, 0), seconds=2.0)[0])
    thread.join()
    for error in errors:
        assert "2 of 3 processes are there; missing: process 1." in error


@pytest.mark.parametrize("last", [1, 2])
def test_who_is_started_again_takes_the_place_of_who_died(last, address):
    """Before the last has come, or as the last."""

    def die_and_come_again():
        with reported(address, 1, processes=3):
            pass
        for number in (3 - last, last):
            threads.append(threading.Thread(target=come, args=(number,)))
            threads[-1].start()
            time.sleep(0.3)

    def come(number):
        errors.extend(call(Job(address, 3, number))[0])

    errors = []
    threads = [threading.Thread(target=die_and_come_again)]
    threads[0].start()
    errors.extend(call(Job(address, 3, 0))[0])
    for thread in threads:
        thread.join()
    assert errors == [None] * 3


def test_strangers_are_passed_over(address):
    host, _, port = address.rpartition(":")

    def strange():
        for text in (b"GET / HTTP/1.0\r\n\r\n", b"", b"[1, 2]\n", b"\xff\n"):
            time.sleep(0.2)
            # Before process 0 listens, it is refused.
            with (
                contextlib.suppress(OSError),
                socket.create_connection((host, int(port))) as peer,
            ):
                peer.sendall(text)

    thread = threading.Thread(target=strange)
    thread.start()
    late = threading.Timer(1, lambda: roll_call(Job(address, 2, 1), seconds=5.0))
    late.start()
    errors, _ = call(Job(address, 2, 0), seconds=20.0)
    late.join()
    thread.join()
    assert errors == [None]


def test_a_server_that_is_no_process_0(address):
    host, _, port = address.rpartition(":")
    with socket.create_server((host, int(port))) as server:

        def answer():
            peer, _ = server.accept()
            peer.recv(99)
            peer.sendall(b"HTTP/1.0 400 Bad Request\n")
            peer.close()

        thread = threading.Thread(target=answer)
        thread.start()
        (error,), _ = call(Job(address, 2, 1), seconds=0.1)
        thread.join()
    assert "does not answer as process 0 does" in error
