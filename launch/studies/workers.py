"""Runs side by side, one process a worker; or one after another in this process."""

import itertools
import multiprocessing
import multiprocessing.connection
import os
import queue
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.process import BaseProcess
from typing import Literal, NamedTuple

from ...objectives.errors import UsageError
from ...tasks import user_modules
from .runs import Run
from .store import Store
from .study import Study


class News(NamedTuple):
    """A message from a worker.

    Attributes:
      run: the current one, by name.
      tokens: processed so far; None when it has ended.
      outcome: how it ended: done, or stopped as the time was over.
      error: a traceback if it failed.
      refusal: the message if it failed by a `UsageError`.
    """

    run: str
    tokens: int | None
    outcome: Literal["", "done", "stopped"] = ""
    error: str | None = None
    refusal: str | None = None


class Task(NamedTuple):
    """What every worker is told.

    Attributes:
      read: makes the study; may be pickled.
      own_share: of `arms`.
      store: the study's folder.
      deadline: `time.time()` at which to stop.
    """

    read: Callable[[], Study]
    own_share: float
    store: Store
    deadline: float


def work(
    waiting: Sequence[Run],
    task: Task,
    *,
    ready: Callable[[Run], bool],
    workers: int,
) -> Iterator[News]:
    """Does runs side by side, each as soon as it is ready, and yields their news.

    Models of a small study are hardly faster on two cores than on one, and two
    processes are nearly twice as fast as one.

    Args:
      waiting: in the order in which they are begun.
      task: what every worker is told.
      ready: whether a run may begin.
      workers: processes, each with its share of the cores. A single one is a thread of
        this process, which an accelerator needs unless processes can share it.

    Raises:
      UsageError: fewer than one worker; or raised by a run, whose name is before the
        message.
      RuntimeError: a run failed, or a worker ended with runs left, whatever its exit
        status; the others are stopped, finished runs stay.
    """
    if workers < 1:
        raise UsageError(f"--workers is {workers}; give 1 or more.")
    waiting = list(waiting)
    count = min(workers, len(waiting))
    processes: list[BaseProcess] = []
    run_queue, news_queue = queue.Queue(), queue.Queue()
    if workers == 1:
        serving = (run_queue, news_queue, task)
        threading.Thread(target=_serve, args=serving, daemon=True).start()
    else:
        context = multiprocessing.get_context("spawn")
        run_queue, news_queue = context.Queue(), context.Queue()
        processes += _processes(count, run_queue, news_queue, task)
    try:
        busy, stopped = set[str](), False
        while True:
            if not stopped:  # what waits would stop at once
                for run in _next(waiting, ready, count=count - len(busy)):
                    waiting.remove(run)
                    busy.add(run.name)
                    run_queue.put(run.name)
            if not busy:
                assert stopped or not waiting, f"no run is ready: {waiting}"
                return
            left = len(busy) + len(waiting)
            news = _heard(news_queue, processes, left=left)
            if news.tokens is None:
                busy.remove(news.run)
                stopped = stopped or news.outcome == "stopped"
            yield news
    finally:
        for process in processes:
            process.terminate()


def _heard(news_queue, processes: Sequence[BaseProcess], *, left: int) -> News:
    """The next message.

    Raises:
      UsageError: it says that a run raised one.
      RuntimeError: it says that a run failed; or a process ended, which waits for runs
        until it is stopped.
    """
    while True:
        # Read before the queue: a worker's last news is queued when it ends.
        ended = [p.exitcode for p in processes if p.exitcode is not None]
        try:
            news: News = news_queue.get(timeout=1)
        except queue.Empty:
            if ended:
                raise RuntimeError(
                    f"a worker of the study ended with exit status {ended[0]} and "
                    f"{left} runs left (was it killed for memory?); finished runs are "
                    "kept: rerun the same command to continue."
                ) from None
            continue
        if news.refusal is not None:
            raise UsageError(f"run {news.run}: {news.refusal}")
        if news.error is not None:
            raise RuntimeError(
                f"run {news.run} failed; the runs that are done are kept:\n{news.error}"
            )
        return news


def _next(
    waiting: Sequence[Run], ready: Callable[[Run], bool], *, count: int
) -> list[Run]:
    """The first runs that are ready, for as many workers as are free."""
    return list(itertools.islice(filter(ready, waiting), count))


def _shares(count: int) -> list[set[int] | None]:
    """The cores of this process, divided; None where there is no CPU affinity.

    With fewer cores than shares, one core each, in turn.
    """
    if not hasattr(os, "sched_getaffinity"):
        return [None] * count
    cores = sorted(os.sched_getaffinity(0))
    return [set(cores[n::count]) or {cores[n % len(cores)]} for n in range(count)]


def _end_with_parent() -> None:
    """Ends this process when its parent is gone, for whatever reason."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


def _processes(count: int, run_queue, news_queue, task: Task) -> list[BaseProcess]:
    """Starts the processes; not as daemons, which could have no processes of data."""
    context = multiprocessing.get_context("spawn")
    processes: list[BaseProcess] = [
        context.Process(
            target=_worker,
            args=(run_queue, news_queue, task),
            kwargs={
                "cores": cores,
                "modules": user_modules.expected(),
            },
        )
        for cores in _shares(count)
    ]
    for process in processes:
        process.start()
    return processes


def _worker(
    run_queue,
    news_queue,
    task: Task,
    *,
    cores: set[int] | None,
    modules: Sequence[str],
) -> None:
    """A process that serves until it is stopped, or its parent ends."""
    user_modules.expect(modules)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if cores is not None:
        os.sched_setaffinity(0, cores)
    _serve(run_queue, news_queue, task)


def _serve(run_queue, news_queue, task: Task) -> None:
    """Takes one run after another until it is stopped; compiles once."""
    # After the affinity is set: XLA counts its threads when it starts.
    from .jobs import Doer

    doer = None
    while True:
        name: str = run_queue.get()
        try:
            if doer is None:
                doer = Doer(task.read(), task.store, own_share=task.own_share)
            done = doer.do(
                name,
                deadline=task.deadline,
                progress=lambda tokens, name=name: news_queue.put(News(name, tokens)),
            )
            news_queue.put(News(name, None, "done" if done else "stopped"))
        except UsageError as error:
            news_queue.put(News(name, None, refusal=str(error)))
            return
        except Exception:  # reported to the parent, whatever it is
            news_queue.put(News(name, None, error=traceback.format_exc()))
            return
