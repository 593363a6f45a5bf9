"""Jobs done by worker processes; one that dies is an error that names its job."""

import multiprocessing
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from ...objectives.errors import UsageError
from .. import user_modules

Job = TypeVar("Job")
Result = TypeVar("Result")


class WorkerError(RuntimeError):
    """A worker process failed or died."""


def done_in_processes(
    make: Callable[[], Callable[[Job], Result]], jobs: Iterable[Job], *, workers: int
) -> Iterator[tuple[Job, Result]]:
    """Does jobs in processes of their own, in whatever order they end.

    With one worker they are done in this process, in order.

    Args:
      make: makes what does the jobs, once in each process; it can be pickled.
      jobs: can be pickled; their `str` names them in errors.
      workers: processes.

    Yields:
      Each job and its result.

    Raises:
      WorkerError: a worker died; the jobs that are done stay done.
      UsageError: a job raised it.
    """
    if workers == 1:
        do = make()
        for job in jobs:
            yield job, do(job)
        return
    context = multiprocessing.get_context("spawn")
    waiting = iter(jobs)
    busy: dict[Connection, tuple[Job, Any]] = {}
    processes = []
    try:
        for job in waiting:
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_serve,
                args=(make, theirs, user_modules.expected()),
                name="sightline-record",
                daemon=True,
            )
            process.start()
            theirs.close()
            processes.append(process)
            busy[ours] = job, process
            ours.send(job)
            if len(processes) == workers:
                break
        while busy:
            for connection in wait(list(busy)):
                assert isinstance(connection, Connection)
                job, process = busy.pop(connection)
                yield job, _result(connection, process, job)
                for following in waiting:
                    busy[connection] = following, process
                    connection.send(following)
                    break
                else:
                    connection.close()
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()


def _result(connection: Connection, process: Any, job: Any) -> Any:
    try:
        kind, value = connection.recv()
    except (EOFError, ConnectionResetError) as error:
        process.join()
        raise WorkerError(
            f"a worker process ended with status {process.exitcode} at {job} (-9: "
            "killed, mostly for lack of memory). Nothing that was finished is lost: "
            "run the same command again to go on, with fewer --workers if memory is "
            "short."
        ) from error
    if kind == "usage":
        raise UsageError(value)
    if kind == "error":
        raise WorkerError(f"{job} failed:\n{value}")
    return value


def _serve(
    make: Callable[[], Callable[[Any], Any]],
    connection: Connection,
    modules: Sequence[str],
) -> None:
    """Does jobs until the other end is closed."""
    user_modules.expect(modules)
    # Ctrl-C goes to the whole group; the parent ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    do: Callable[[Any], Any] | None = None
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        try:
            do = do or make()
            reply = "done", do(job)
        except UsageError as error:
            reply = "usage", str(error)
        except Exception:
            reply = "error", traceback.format_exc()
        try:
            connection.send(reply)
        except BrokenPipeError:
            return
