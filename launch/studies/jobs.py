"""The runs of a study, on one process per worker, each on its own core."""

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
from ...objectives.errors import UsageError
from ...tasks import user_modules
from .study import Study


class Job(NamedTuple):
    """A run of a study."""

    mix: str
    seed: int

    def path(self, folder: Path) -> Path:
        """Of its records; exists when the job is done."""
        return folder / f"{self.mix}-{self.seed}.json"


class News(NamedTuple):
    """A message from a worker.

    Attributes:
      job: the current job.
      tokens: processed so far; None when the job has ended.
      error: a traceback if it failed.
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
    """Runs jobs side by side and yields their news.

    Models of a study are so small that one process on two cores is hardly faster than
    on one, and two processes are nearly twice as fast as one.

    Args:
      waiting: jobs in order.
      folder: of the records.
      read: makes the study, in every worker; may be pickled.
      workers: processes; each has a core of its own while there are enough.

    Raises:
      UsageError: fewer than one worker.
      RuntimeError: a run failed, or a worker ended with runs left, whatever its exit
        status; the others are stopped, finished runs stay.
    """
    if workers < 1:
        raise UsageError(f"--workers is {workers}; give 1 or more.")
    context = multiprocessing.get_context("spawn")
    job_queue, news_queue = context.Queue(), context.Queue()
    for job in waiting:
        job_queue.put(job)
    cores = _cores()
    processes = [
        context.Process(
            target=_worker,
            args=(job_queue, news_queue, folder, read),
            kwargs={
                "core": cores[n % len(cores)] if cores else None,
                "modules": user_modules.expected(),
            },
            daemon=True,
        )
        for n in range(min(workers, len(waiting)))
    ]
    for process in processes:
        process.start()
    try:
        left = len(waiting)
        while left:
            # Read before the queue: a worker's last news is queued when it ends.
            ended = [p.exitcode for p in processes if p.exitcode is not None]
            try:
                news: News = news_queue.get(timeout=1)
            except queue.Empty:
                if ended:
                    raise _ended_early(ended[0], left) from None
                continue
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


def _ended_early(status: int, left: int) -> RuntimeError:
    """Workers wait for jobs until they are stopped; one that ends has failed."""
    return RuntimeError(
        f"a worker of the study ended with exit status {status} and {left} runs left "
        "(was it killed for memory?); finished runs are kept: rerun the same command "
        "to continue."
    )


def _cores() -> list[int]:
    """The cores of this process; empty where the platform has no CPU affinity."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    return sorted(os.sched_getaffinity(0))


def _end_with_parent() -> None:
    """Ends this process when its parent is gone, for whatever reason."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


def _worker(
    job_queue,
    news_queue,
    folder: Path,
    read,
    *,
    core: int | None,
    modules: Sequence[str],
) -> None:
    """Takes one job after another until it is stopped; compiles once."""
    user_modules.expect(modules)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if core is not None:
        os.sched_setaffinity(0, {core})
    # After the affinity is set: XLA counts its threads when it starts.
    from .run import StudyResources, run

    resources = None
    while True:
        job: Job = job_queue.get()
        try:
            if resources is None:
                resources = StudyResources(read())
            measured = []
            for record in run(
                resources,
                job.mix,
                seed=job.seed,
                progress=lambda tokens, job=job: news_queue.put(News(job, tokens)),
            ):
                measured.append(record)
            records.write(job.path(folder), measured)
            news_queue.put(News(job, None))
        except Exception:  # reported to the parent, whatever it is
            news_queue.put(News(job, None, traceback.format_exc()))
            return
