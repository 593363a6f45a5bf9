"""Processes that make data and end with the trainer, however it ends.

They are spawned, not forked: a fork of a process in which JAX runs threads can hang.
Signals for the group (Ctrl-C, a scheduler's SIGTERM) are the trainer's business; the
processes are started with these signals blocked, which no moment of their start
escapes.
"""

import multiprocessing
import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import util
from multiprocessing.connection import Connection, wait
from typing import Any

from .. import user_modules

_TRAINERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

_SECONDS_TO_END = 5.0


class DataProcessError(RuntimeError):
    """A process that makes data ended without an error of its own."""


class Team:
    """Some processes that live until `close`, or until this one ends."""

    def __init__(self):
        self._processes: list[Any] = []
        # Runs when this is collected, and at exit before multiprocessing waits for its
        # daemons, which do not heed its SIGTERM.
        self.close = util.Finalize(self, _kill, [self._processes], exitpriority=100)

    def start(self, name: str, target: Callable[..., None], *args: Any) -> None:
        """Starts a process that runs `target(*args)`.

        Args:
          name: for messages.
          target: of a module that imports quickly; ends when its work does.
          *args: connections among them belong to the process alone from here on.
        """
        context = multiprocessing.get_context("spawn")
        process = context.Process(
            target=_run,
            args=(target, args, user_modules.expected()),
            name=name,
            daemon=True,
        )
        with _blocked(_TRAINERS):
            process.start()
        self._processes.append(process)
        for argument in args:
            for each in argument if isinstance(argument, list) else [argument]:
                if isinstance(each, Connection):
                    each.close()

    def cpu_seconds(self) -> float:
        """CPU time of the processes so far, in steps of 10 ms."""
        ticks = 0
        for process in self._processes:
            with open(f"/proc/{process.pid}/stat") as file:
                # The name, in brackets, may hold spaces.
                fields = file.read().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def wait_for(self, connection: Connection) -> None:
        """Returns when there is something to read.

        Raises:
          DataProcessError: one of the processes has ended, and there is nothing.
        """
        sentinels = [process.sentinel for process in self._processes]
        if connection not in wait([connection, *sentinels]):
            raise self.ended()

    def ended(self) -> DataProcessError:
        """The error that a process has ended, with the way in which it did."""
        sentinels = {p.sentinel: p for p in self._processes}
        until = time.monotonic() + _SECONDS_TO_END
        ended = None
        while sentinels and (ended is None or ended.exitcode == 0):
            # The others end after the one that failed, with status 0.
            ready = wait(list(sentinels), timeout=max(0, until - time.monotonic()))
            if not ready:
                break
            ended = sentinels.pop(ready[0])
            ended.join(_SECONDS_TO_END)  # it may be ending still
        if ended is not None:
            return DataProcessError(
                f"the process {ended.name!r} (pid {ended.pid}), which makes "
                f"training data, {_how(ended.exitcode)}."
            )
        return DataProcessError("a process that makes training data hung up.")


def _how(exitcode: int) -> str:
    if exitcode >= 0:
        return f"ended with status {exitcode}; its error is above"
    name = signal.Signals(-exitcode).name
    cause = "; if nobody did that, memory ran out" if name == "SIGKILL" else ""
    return f"was killed by {name}{cause}"


def _kill(processes: Sequence[Any]) -> None:
    for process in processes:
        process.kill()
    for process in processes:
        process.join(_SECONDS_TO_END)


@contextmanager
def _blocked(signals: Sequence[signal.Signals]) -> Iterator[None]:
    """Blocks signals for this thread, and for processes started in the meantime."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _run(
    target: Callable[..., None], args: Sequence[Any], modules: Sequence[str]
) -> None:
    user_modules.expect(modules)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        parent.join()
        os._exit(0)

    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        target(*args)
    except (BrokenPipeError, ConnectionResetError, EOFError):
        os._exit(0)  # whoever reads or asks has ended, and says why


def send_error(connection: Connection, error: BaseException) -> None:
    """Sends an exception as ("error", exception), with its traceback as a note."""
    where = "".join(traceback.format_exception(error))
    error.add_note(f"Raised in the process {multiprocessing.current_process().name}:")
    error.add_note(where)
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # its class cannot be sent; what it says can
        error = RuntimeError(where)
    connection.send(("error", error))
