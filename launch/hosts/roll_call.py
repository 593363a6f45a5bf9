"""All processes of a job find each other, or say who is missing.

jax ends a process by a C++ abort if its coordinator or a peer does not come. So before
jax is asked, process 0 listens at the same address until all others have reported.
"""

import contextlib
import json
import socket
import time

from ...objectives.errors import UsageError
from .job import Job

_LINE_BYTES = 4096
_REPLY_SECONDS = 2.0
_GO = "go"


def roll_call(job: Job, *, seconds: float) -> None:
    """Returns once every process of the job has reported to process 0.

    Args:
      job: of this process.
      seconds: how long to wait for the others.

    Raises:
      UsageError: the coordinator cannot be reached, the port is taken, processes are
        missing, or they disagree on their number.
    """
    deadline = time.monotonic() + seconds
    host, _, port = job.coordinator.rpartition(":")
    address = (host.strip("[]"), int(port))
    if job.process == 0:
        _call(job, address, deadline, seconds)
    else:
        _report(job, address, deadline, seconds)


def _call(job: Job, address: tuple[str, int], deadline: float, seconds: float) -> None:
    """Process 0: collects a report of each other process, then answers all."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(_listener(job, address))
        present: dict[int, socket.socket] = {}
        while len(present) < job.processes - 1:
            listener.settimeout(max(deadline - time.monotonic(), 0.01))
            try:
                peer, _ = listener.accept()
            except TimeoutError:
                present = _waiting(present)
                raise _refused(present, _missing(job, list(present), seconds)) from None
            stack.enter_context(peer)
            report = _read(peer)
            if report is None:
                continue  # not one of ours: a port scanner, a health check
            number, processes = report
            if processes != job.processes:
                raise _refused(
                    {**present, -1: peer},
                    f"process {number} was started with --processes={processes}, and "
                    f"process 0 with --processes={job.processes}; start all with the "
                    "same number.",
                )
            if number in present and _is_open(present[number]):
                raise _refused(
                    {-1: present[number], **present, -2: peer},
                    f"two processes say that they are process {number} of "
                    f"{job.processes}; give each its own --process.",
                )
            present[number] = peer
            if len(present) == job.processes - 1:
                # Whoever has reported may have died since, and is started again.
                present = _waiting(present)
        for peer in present.values():
            _send(peer, _GO)
        for peer in present.values():
            # They close first, so that the port is free for jax at once.
            with contextlib.suppress(OSError):
                peer.recv(1)


def _listener(job: Job, address: tuple[str, int]) -> socket.socket:
    try:
        return socket.create_server(
            address,
            family=socket.AF_INET6 if ":" in address[0] else socket.AF_INET,
            backlog=job.processes,
        )
    except OSError as error:
        raise UsageError(
            f"process 0 cannot listen at {job.coordinator}: {error.strerror}; stop "
            "what uses the port, or give all processes another --coordinator."
        ) from error


def _waiting(present: dict[int, socket.socket]) -> dict[int, socket.socket]:
    """Those that still wait for an answer, and are not gone."""
    return {number: peer for number, peer in present.items() if _is_open(peer)}


def _is_open(peer: socket.socket) -> bool:
    """Whether a peer that sends nothing any more has not closed either."""
    peer.setblocking(False)
    try:
        peer.recv(1)
    except BlockingIOError:
        return True
    except OSError:
        return False
    else:
        return False
    finally:
        peer.settimeout(_REPLY_SECONDS)


def _report(job: Job, address: tuple[str, int], deadline: float, seconds: float):
    """The others: report to process 0, and wait for its answer."""
    trouble = "nothing listens there"
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(address, timeout=_REPLY_SECONDS) as peer:
                mine = {"process": job.process, "processes": job.processes}
                _send(peer, json.dumps(mine))
                peer.settimeout(max(0.01, deadline + _REPLY_SECONDS - time.monotonic()))
                answer = _line(peer)
        except OSError as error:
            trouble = error.strerror or str(error)
        else:
            if answer == _GO:
                return
            if answer.startswith("no: "):
                raise UsageError(answer.removeprefix("no: "))
            trouble = "what listens there does not answer as process 0 does"
        time.sleep(0.2)
    raise UsageError(
        f"process {job.process} of {job.processes} could not reach process 0 at "
        f"{job.coordinator} within {seconds:g} s: {trouble}. Check that process 0 was "
        "started, that --coordinator is an address of its host, and that no firewall "
        "closes the port."
    )


def _missing(job: Job, present: list[int], seconds: float) -> str:
    missing = sorted(set(range(1, job.processes)) - set(present))
    return (
        f"after {seconds:g} s {job.processes - len(missing)} of {job.processes} "
        f"processes are there; missing: process {', '.join(map(str, missing))}. Start "
        "them with the same --coordinator, or give --processes the number there are."
    )


def _refused(present: dict[int, socket.socket], reason: str) -> UsageError:
    """Tells all who have reported why there will be no run; returns the error."""
    for peer in present.values():
        with contextlib.suppress(OSError):
            _send(peer, f"no: {reason}")
    return UsageError(reason)


def _send(peer: socket.socket, text: str) -> None:
    peer.sendall(f"{text}\n".encode())


def _line(peer: socket.socket) -> str:
    """One line; what came of it if the peer closes or sends too much."""
    data = b""
    while not data.endswith(b"\n") and len(data) < _LINE_BYTES:
        part = peer.recv(_LINE_BYTES - len(data))
        if not part:
            break
        data += part
    return data.decode(errors="replace").rstrip("\n")


def _read(peer: socket.socket) -> tuple[int, int] | None:
    """A peer's number and the number of processes; None if it is no peer of ours."""
    peer.settimeout(_REPLY_SECONDS)
    try:
        report = json.loads(_line(peer))
        return int(report["process"]), int(report["processes"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
