"""The runs of a study, on as many processes as it has workers, each on its own core."""

import multiprocessing
import multiprocessing.connection
import os
import queue
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ...diagnosis.results import records
from .study import Study


class Job(NamedTuple):
    """A run of a study."""

    mix: str
    seed: int

    def path(self, folder: Path) -> Path:
        """Of its records; there when it is done."""
        return folder / f"{self.mix}-{self.seed}.json"


class News(NamedTuple):
    """What a worker says.

    Attributes:
      job: that it is at.
      tokens: processed so far; None where the job ended.
      error: a traceback, where it failed.
    """

    job: Job
    tokens: int | None
    error: str | None = None


def jobs(mixes: Sequence[str], seeds: Sequence[int], folder: Path) -> list[Job]:
    """What is still to be run: one seed of every mix, then the next seed."""
    every = [Job(mix, seed) for seed in seeds for mix in mixes]
    return [job for job in every if not job.path(folder).exists()]


def work(
    waiting: Sequence[Job],
    folder: Path,
    *,
    read: Callable[[], Study],
    workers: int,
) -> Iterator[News]:
    """Runs jobs side by side and tells how they go.

    Models of a study are so small that one process on two cores is hardly faster than
    on one, and two processes are nearly twice as fast as one.

    Args:
      waiting: jobs in order.
      folder: of the records.
      read: makes the study, in every worker; may be pickled.
      workers: processes; each has a core of its own as far as there are any.

    Raises:
      RuntimeError: a run failed; the others are stopped, finished runs stay.
    """
    context = multiprocessing.get_context("spawn")
    todo, told = context.Queue(), context.Queue()
    for job in waiting:
        todo.put(job)
    cores = sorted(os.sched_getaffinity(0))
    processes = [
        context.Process(
            target=_worker,
            args=(todo, told, folder, read),
            kwargs={"core": cores[n % len(cores)]},
            daemon=True,
        )
        for n in range(min(workers, len(waiting)))
    ]
    for process in processes:
        process.start()
    try:
        left = len(waiting)
        while left:
            try:
                news: News = told.get(timeout=5)
            except queue.Empty:
                continue
            finally:
                _check_alive(processes)
            if news.error is not None:
                raise RuntimeError(
                    f"the run of mix {news.job.mix!r} with seed {news.job.seed} "
                    f"failed; the runs that are done are kept:\n{news.error}"
                )
            left -= news.tokens is None
            yield news
    finally:
        for process in processes:
            process.terminate()


def _check_alive(processes: Sequence) -> None:
    for process in processes:
        if process.exitcode:
            raise RuntimeError(
                f"a worker of the study died with exit status {process.exitcode} (was "
                "it killed for memory?); the runs that are done are kept: the same "
                "command goes on."
            )


def _end_with_parent() -> None:
    """Ends this process when the one that started it is gone, however it went."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


def _worker(todo, told, folder: Path, read, *, core: int) -> None:
    """Takes one job after another; everything is compiled once."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.sched_setaffinity(0, {core})
    # After the affinity is set: XLA counts its threads when it starts.
    from .run import Compiled, run

    compiled = None
    while True:
        try:
            job: Job = todo.get(timeout=1)
        except queue.Empty:
            return
        try:
            if compiled is None:
                compiled = Compiled(read())
            found = []
            for record in run(
                compiled,
                job.mix,
                seed=job.seed,
                progress=lambda tokens, job=job: told.put(News(job, tokens)),
            ):
                found.append(record)
            records.write(job.path(folder), found)
            told.put(News(job, None))
        except Exception:  # told to the one who started it, whatever it is
            told.put(News(job, None, traceback.format_exc()))
            return
