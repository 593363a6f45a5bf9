"""A thread that listens to the other processes while this one computes.

A process that waits in a collective cannot be reached otherwise: it would wait until
jax's own limit for a peer that has failed.
"""

import contextlib
import json
import sys
import threading
import time
from typing import NoReturn

import jax

from . import coordination, progress, stacks, stopping
from .coordination import Failure
from .leaving import PEER_FAILED, STALLED, STOPPED, leave

BEAT_SECONDS = 1.0
"""Between two looks at the others."""

SILENT_SECONDS = 15.0
"""Without a beat, after which a process is taken to be dead."""

FROZEN_SECONDS = 60.0
"""In which this thread does not run at all, after which the process ends: a library
holds the interpreter's lock and waits, as for a peer that is dead."""

_FAREWELL_SECONDS = 5.0
"""For all processes to hear of a failure."""

_SUSPECT_SECONDS = 5.0
"""Without a beat, after which a process is suspected when a collective has failed."""


class Watch:
    """Beats, listens and, in process 0, misses those that have gone silent."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(
            target=self._listen, name="sightline-watch", daemon=True
        )
        self._heard: dict[int, tuple[int, float]] = {}

    def start(self) -> None:
        """Begins to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread: the others may leave now."""
        self._ended.set()
        self._thread.join()
        stacks.end_never()

    def _listen(self) -> None:
        beat = 0
        try:
            while not self._ended.wait(BEAT_SECONDS):
                stacks.end_later(FROZEN_SECONDS)
                beat += 1
                last = progress.latest()
                coordination.tell_state(
                    beat, last.what, round(time.monotonic() - last.began, 1)
                )
                signals = coordination.signals()
                if "failure" in signals:
                    failure = Failure(*json.loads(signals["failure"]))
                    if failure.process == coordination.process():
                        return  # the thread that failed leaves
                    follow(failure)
                if "stop" in signals:
                    stopping.heard(signals["stop"])
                if coordination.process() == 0:
                    self._miss_the_silent()
        except jax.errors.JaxRuntimeError as error:
            if not self._ended.is_set():
                _say(f"process 0 cannot be reached any more: {_first_line(error)}")
                leave(PEER_FAILED)

    def _miss_the_silent(self) -> None:
        now, silent = time.monotonic(), []
        for state in coordination.states():
            beat, since = self._heard.get(state.process, (-1, now))
            if beat != state.beat:
                self._heard[state.process] = state.beat, now
            elif now - since > SILENT_SECONDS:
                silent.append(
                    f"{coordination.name_of(state.process)} has been silent for "
                    f"{SILENT_SECONDS:.0f} s: it was killed, is stopped, or its host "
                    f"is gone. It was {state.what}."
                )
        if silent:
            fail("\n".join(silent), status=PEER_FAILED, gone=len(silent))


def fail_with_collective(text: str) -> NoReturn:
    """Ends all processes after an error of jax, which a peer may have caused.

    A collective fails as soon as a peer is gone, well before the peer is missed; so
    this looks for one that has fallen silent.

    Args:
      text: the error.
    """
    before = {state.process: state.beat for state in coordination.states()}
    time.sleep(_SUSPECT_SECONDS)
    silent = [s for s in coordination.states() if before.get(s.process) == s.beat]
    names = ", ".join(f"{coordination.name_of(s.process)}, {s.what}" for s in silent)
    cause = f"gone or stopped: {names}. What this broke:\n" if silent else ""
    status = PEER_FAILED if silent else 1
    fail(f"{cause}{text}", status=status, gone=len(silent))


def fail(text: str, *, status: int, gone: int = 0) -> NoReturn:
    """Ends all processes of the run: the others hear why, and then this one leaves.

    Args:
      text: the error, as the user is to read it.
      status: with which this process leaves; all show where they stand if it is that
        of a stall.
      gone: processes that cannot hear of it.
    """
    mine = Failure(coordination.process(), text, status, gone)
    first = Failure(*json.loads(coordination.raise_signal("failure", json.dumps(mine))))
    if first != mine:
        follow(first)
    name = coordination.name_of(mine.process)
    _say(f"{name}: {text}")
    if status == STALLED:
        stacks.dump()
    _farewell(status, gone=gone)


def follow(failure: Failure) -> NoReturn:
    """Leaves because another process has failed, or was stopped.

    A stall and a stop are the run's, so all leave with that status.
    """
    ended = "was stopped" if failure.status == STOPPED else "failed"
    _say(
        f"{coordination.name_of(failure.process)} {ended}, so this one, "
        f"{coordination.name_of(coordination.process())}, leaves as well:\n"
        f"{failure.text}"
    )
    if failure.status == STALLED:
        stacks.dump()
    shared = failure.status in (STALLED, STOPPED)
    _farewell(failure.status if shared else PEER_FAILED, gone=failure.gone)


def _farewell(status: int, *, gone: int) -> NoReturn:
    """Leaves once all have heard; process 0, which holds the service, after them.

    Who leaves sooner breaks the collective in which others wait, and they would report
    that instead of the cause.
    """
    deadline = time.monotonic() + _FAREWELL_SECONDS
    here, last = coordination.process(), coordination.processes() - 1 - gone
    coordination.tick_off("heard")
    while time.monotonic() < deadline and coordination.ticked_off("heard") <= last:
        time.sleep(0.2)
    if here > 0:
        coordination.tick_off("left")
    while time.monotonic() < deadline and here == 0:
        if coordination.ticked_off("left") >= last:
            break
        time.sleep(0.2)
    leave(status)


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # who reads it may be gone; the others are told
        print(f"sightline: {text}", file=sys.stderr, flush=True)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
