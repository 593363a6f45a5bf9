"""Workers: what they are told and tell, and how they end."""

import functools
import os
import types

import numpy as np
import pytest

from sightline.launch.configuration.study import read_study
from sightline.launch.studies import jobs as jobs_module, workers as workers_module
from sightline.launch.studies.store import Store
from sightline.launch.studies.workers import News, Task, work
from sightline.objectives.errors import UsageError

pytestmark = pytest.mark.unchecked


def named(*names):
    """Runs, as far as workers know them."""
    return [types.SimpleNamespace(name=name) for name in names]


def task(tmp_path, read=None):
    read = read or functools.partial(read_study, ["none.gin"], ())
    return Task(read, 1.0, Store(tmp_path), np.inf)


def always(run):
    return True


class FakeDoer:
    """Does runs at once, and says what it did."""

    done: list

    def __init__(self, study, store, *, own_share):
        pass

    def do(self, name, *, deadline, progress):
        if name == "broken":
            raise ValueError("no such luck")
        if name == "mistaken":
            raise UsageError("give another one")
        progress(10)
        FakeDoer.done.append(name)
        return name != "slow"


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    monkeypatch.setattr(jobs_module, "Doer", FakeDoer)
    FakeDoer.done = []


def do(tmp_path, runs, ready=always, workers=1):
    given = task(tmp_path, read=lambda: None)
    return list(work(runs, given, ready=ready, workers=workers))


def test_one_worker_works_here_and_in_order(tmp_path):
    news = do(tmp_path, named("a", "b"))
    assert FakeDoer.done == ["a", "b"]
    assert news == [
        *(News("a", 10), News("a", None, "done")),
        *(News("b", 10), News("b", None, "done")),
    ]


def test_a_run_waits_for_what_it_begins_with(tmp_path):
    def ready(run):
        return run.name != "branch" or "base" in FakeDoer.done

    do(tmp_path, named("branch", "base", "other"), ready)
    assert FakeDoer.done == ["base", "branch", "other"]


def test_after_a_run_was_stopped_none_begins(tmp_path):
    news = do(tmp_path, named("a", "slow", "b"))
    assert news[-1] == News("slow", None, "stopped") and "b" not in FakeDoer.done


def test_a_run_that_fails_ends_the_study(tmp_path):
    with pytest.raises(RuntimeError, match=r"run broken failed(.|\n)*no such luck"):
        do(tmp_path, named("broken", "b"))
    assert FakeDoer.done == []


def test_a_mistake_that_a_run_finds_is_told_as_one(tmp_path):
    with pytest.raises(UsageError, match=r"^run mistaken: give another one"):
        do(tmp_path, named("mistaken", "b"))
    assert FakeDoer.done == []


def leave(status, run_queue, *_, **__):
    """A worker that takes a run and ends without a word."""
    run_queue.get()
    os._exit(status)


@pytest.mark.parametrize("status", [0, 9])
def test_a_worker_that_ends_with_runs_left_ends_the_study(
    monkeypatch, tmp_path, status
):
    monkeypatch.setattr(workers_module, "_worker", functools.partial(leave, status))
    news = work(named("x", "y", "z"), task(tmp_path), ready=always, workers=2)
    with pytest.raises(RuntimeError, match=f"exit status {status} and 3 runs left"):
        list(news)


def test_a_process_that_fails_says_why(tmp_path):
    """A file that cannot be read: the process says so, and this one raises."""
    news = work(named("x"), task(tmp_path), ready=always, workers=2)
    with pytest.raises(UsageError, match=r"^run x: .*none\.gin"):
        list(news)


@pytest.mark.parametrize("workers", [0, -1])
def test_a_study_needs_a_worker(tmp_path, workers):
    with pytest.raises(UsageError, match=f"--workers is {workers}"):
        list(work(named("x"), task(tmp_path), ready=always, workers=workers))


def test_workers_divide_the_cores(monkeypatch):
    """Two of sixteen cores would otherwise do all the work."""
    cores = set(range(2, 7))
    monkeypatch.setattr(
        workers_module.os, "sched_getaffinity", lambda pid: cores, raising=False
    )
    shares = workers_module._shares(2)
    assert set.union(*shares) == cores and not set.intersection(*shares)
    assert sorted(map(len, shares)) == [2, 3]
    assert [len(share) for share in workers_module._shares(7)] == [1] * 7


def test_a_platform_without_cpu_affinity(monkeypatch):
    monkeypatch.delattr(workers_module.os, "sched_getaffinity", raising=False)
    assert workers_module._shares(2) == [None, None]
