"""Jobs in processes: their results, and how each way to fail is told."""

import functools
import os

import pytest

from sightline.objectives.errors import UsageError
from sightline.tasks.recorded.workers import WorkerError, done_in_processes


def squared(job):
    """A job: a number, or how to fail."""
    if job == "usage":
        raise UsageError("the text is empty; give another.")
    if job == "bug":
        raise KeyError("a bug")
    if job == "end":
        os._exit(3)
    return job**2


def make():
    return squared


def broken():
    raise UsageError("no such corpus")


@pytest.mark.parametrize(("jobs", "workers"), [(7, 1), (7, 3), (0, 2)])
def test_every_job_is_done_once(jobs, workers):
    found = list(done_in_processes(make, range(jobs), workers=workers))
    assert sorted(found) == [(n, n**2) for n in range(jobs)]
    assert workers > 1 or found == sorted(found)


@pytest.mark.parametrize(
    ("job", "error", "message"),
    [
        ("usage", UsageError, r"^the text is empty; give another\.$"),
        ("bug", WorkerError, r"(?s)^bug failed:\n.*in squared.*KeyError: 'a bug'"),
        ("end", WorkerError, r"ended with status 3 at end .*fewer --workers if memory"),
    ],
)
def test_a_job_that_fails_says_how(job, error, message):
    with pytest.raises(error, match=message):
        list(done_in_processes(make, [2, job, 3], workers=2))


def test_one_worker_is_this_process_and_stops_at_the_first_error():
    done = []
    with pytest.raises(UsageError, match="the text is empty"):
        done.extend(done_in_processes(make, [2], workers=1))
        done.extend(done_in_processes(make, ["usage", 3], workers=1))
    assert done == [(2, 4)]


def test_workers_that_cannot_begin_say_why():
    with pytest.raises(UsageError, match="no such corpus"):
        list(done_in_processes(functools.partial(broken), [1], workers=2))
