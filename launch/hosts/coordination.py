"""What the processes of a run tell each other, through jax's coordination service.

The service is a store of keys and barriers in process 0. It needs no device, so that a
process that is missing is named, where a collective would hang. jax keeps its client
private; it is used in this file alone.
"""

import json
import socket
from typing import Any, NamedTuple

import jax
from jax._src import distributed

from ...objectives.errors import UsageError
from . import progress

_BARRIER_SHARE = 0.9
"""Of the watchdog's limit, so that a barrier names the missing before it acts."""

_LONGEST_SECONDS = 1e9
"""Of a barrier without a limit: the service wants one."""


class MissingProcess(UsageError, RuntimeError):
    """Some processes did not come to a point that all must reach."""


class Failure(NamedTuple):
    """Why the run ends, by the process where it went wrong first.

    Attributes:
      process: its number.
      text: the error.
      status: with which it leaves.
      gone: processes that cannot hear of it.
    """

    process: int
    text: str
    status: int
    gone: int = 0


def process() -> int:
    """The number of this process; 0 if it trains alone."""
    return distributed.global_state.process_id


def processes() -> int:
    """How many processes train together."""
    return distributed.global_state.num_processes


def together() -> bool:
    """Whether several processes train together."""
    return distributed.global_state.client is not None


_introduced = False


def introduce() -> None:
    """Tells the others the name of this host."""
    global _introduced
    _client().key_value_set(f"host/{process()}", socket.gethostname())
    _introduced = True


def introduced() -> bool:
    """Whether the others can be told something: not while they still connect."""
    return _introduced


def name_of(number: int) -> str:
    """`process 1 (node002)`."""
    if not together():
        return f"process {number} ({socket.gethostname()})"
    return f"process {number} ({_get(f'host/{number}') or 'unknown host'})"


def meet(name: str) -> None:
    """Waits until all processes are here.

    The others have as long as this one had for what it did last (`progress.did`): they
    do the same, and where that has no limit, as before the first step, neither has the
    wait. A process that is dead, or that stands still, ends it sooner (`watch`).

    Args:
      name: of the point, "save 4"; it stands in the error.

    Raises:
      MissingProcess: some did not come in time; says which, and what each did last.
    """
    if together():
        _arrive(name, "here")


def exchange(name: str, value: str) -> list[str]:
    """The value of every process, by number; a barrier as well, as `meet`.

    Args:
      name: of the point.
      value: of this process, not empty.

    Raises:
      MissingProcess: as `meet`.
    """
    if not together():
        return [value]
    folder = _arrive(name, value)
    values = dict(_client().key_value_dir_get(folder))
    return [values[f"{folder}{number}"] for number in range(processes())]


def from_first(name: str, value: Any) -> Any:
    """Process 0's value, of plain JSON, on all processes; a barrier, as `meet`."""
    if not together():
        return value
    folder = _arrive(name, json.dumps(value))
    return json.loads(_client().key_value_try_get(f"{folder}0"))


_arrivals = 0
_read_by_all: str | None = None


def _arrive(name: str, value: str) -> str:
    """Waits at a barrier with a value; returns the folder of all values."""
    global _arrivals, _read_by_all
    _arrivals += 1
    client, folder = _client(), f"meet/{_arrivals}/{name}/"
    client.key_value_set(f"{folder}{process()}", value)
    before = progress.latest()
    limit = _BARRIER_SHARE * progress.stall_seconds() * before.times
    limit = min(limit, _LONGEST_SECONDS)
    progress.did(f"waiting for the others: {name}", times=before.times)
    try:
        client.wait_at_barrier(folder, int(limit * 1000))
    except jax.errors.JaxRuntimeError as error:
        raise MissingProcess(_who_is_missing(name, folder, limit)) from error
    progress.did(before.what, times=before.times)
    # Whoever has come here has read the values of the point before.
    if _read_by_all is not None:
        client.key_value_delete(_read_by_all)
    _read_by_all = f"{folder}{process()}"
    return folder


def _who_is_missing(name: str, folder: str, limit: float) -> str:
    here = {key.removeprefix(folder) for key, _ in _client().key_value_dir_get(folder)}
    missing = [n for n in range(processes()) if str(n) not in here]
    lasts = {state.process: state for state in states()}
    told = "; ".join(f"{name_of(n)}, last: {lasts.get(n, 'nothing')}" for n in missing)
    return (
        f"after {limit:.0f} s {len(missing)} of {processes()} processes have not come "
        f"to {name!r}: {told or 'none, now'}."
    )


class State(NamedTuple):
    """What a process said of itself last.

    Attributes:
      process: its number.
      beat: grows by one each time that it is told.
      what: it was doing.
      seconds: for how long.
    """

    process: int
    beat: int
    what: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.what} (for {self.seconds:.0f} s)"


def tell_state(beat: int, what: str, seconds: float) -> None:
    """Tells the others what this process is doing."""
    value = json.dumps([beat, what, seconds])
    _client().key_value_set(f"state/{process()}", value, allow_overwrite=True)


def states() -> list[State]:
    """What each process said of itself last, if it did."""
    told = _client().key_value_dir_get("state/")
    return [State(int(key.rpartition("/")[2]), *json.loads(v)) for key, v in told]


def raise_signal(name: str, value: str) -> str:
    """Sets a signal for all; the first value stays. Returns the one that stands."""
    try:
        _client().key_value_set(f"signal/{name}", value)
    except jax.errors.JaxRuntimeError as error:
        if "ALREADY_EXISTS" not in str(error):
            raise
    return signals()[name]


def signals() -> dict[str, str]:
    """The signals that are set."""
    found = _client().key_value_dir_get("signal/")
    return {key.removeprefix("signal/"): value for key, value in found}


def allow(step: int, *, beginning: int) -> None:
    """Tells the others up to which step this process may be.

    Args:
      step: that it may begin.
      beginning: how many times the run has begun, or gone back and begun again.
    """
    _client().key_value_set(f"allowed/{beginning}/{process()}", str(step))


def allowed(*, beginning: int) -> dict[int, int]:
    """Up to which step each process may be, of those that have told since then."""
    told = _client().key_value_dir_get(f"allowed/{beginning}/")
    return {int(key.rpartition("/")[2]): int(step) for key, step in told}


def tick_off(what: str) -> None:
    """Tells the others that this process has done something on its way out."""
    _client().key_value_set(f"{what}/{process()}", "yes", allow_overwrite=True)


def ticked_off(what: str) -> int:
    """How many processes have told that."""
    return len(_client().key_value_dir_get(f"{what}/"))


def _get(key: str) -> str | None:
    try:
        return _client().key_value_try_get(key)
    except jax.errors.JaxRuntimeError as error:
        if "NOT_FOUND" not in str(error):
            raise
        return None


def _client() -> Any:
    return distributed.global_state.client
