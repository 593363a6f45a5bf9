"""One run directory or table, one run: who holds it, and whether that run still lives.

A lease is a file that names its holder and whose time of change the holder renews. It
needs no lock of the file system: those are local to a host, or missing, on many that
pods share. A lease ends with its holder: on the same machine as soon as its process is
gone, seen from another one `EXPIRES_SECONDS` after the last renewal.
"""

import dataclasses
import json
import logging
import os
import secrets
import socket
import threading
import time
from pathlib import Path
from typing import NamedTuple

from ...objectives.errors import UsageError
from ...tasks.files import write_whole
from ..hosts.leaving import on_leaving

_LOG = logging.getLogger(__name__)

RENEW_SECONDS = 10.0
"""Between two renewals."""

EXPIRES_SECONDS = 60.0
"""After the last renewal, a lease of another machine counts for nothing."""

_SILENT_SECONDS = 3.0
"""Of waiting for the lease of another machine, after which that is said."""

_SETTLE_SECONDS = 1.0
"""For two runs that take over one expired lease to see who was last."""


class LeaseLost(UsageError, RuntimeError):
    """The directory of a run is another's now, or gone."""


class Holder(NamedTuple):
    """Who holds a lease.

    Attributes:
      nonce: of the run, random.
      host: its name.
      machine: what tells machines with the same name apart: boot, and namespace of
        process numbers.
      pid: the process.
      started: when the process began, in the kernel's ticks: numbers are used again.
      since: when it took the lease, in UTC.
      folder: its inode; a copy of the folder has another.
    """

    nonce: str
    host: str
    machine: str
    pid: int
    started: str
    since: str
    folder: int

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since}"


def own_holder(folder: Path) -> Holder:
    """This process, with a nonce of its own at each call."""
    return Holder(
        nonce=secrets.token_hex(8),
        host=socket.gethostname(),
        machine=machine(),
        pid=os.getpid(),
        started=_started(os.getpid()) or "",
        since=time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        folder=folder.stat().st_ino,
    )


def has_ended(holder: Holder) -> bool:
    """Whether a process is seen to have ended; only one of this machine can be."""
    running = _started(holder.pid) or "gone"
    return holder.machine == machine() and holder.started != running


@dataclasses.dataclass
class Lease:
    """A run's hold on its directory, renewed by a thread. `hold` makes it."""

    folder: Path
    holder: Holder
    inode: int
    name: str = "lease"

    def __post_init__(self) -> None:
        self._ended = threading.Event()
        self._lost: str | None = None
        name = "sightline-lease"
        threading.Thread(target=self._renew, name=name, daemon=True).start()

    def check(self) -> None:
        """To be called before the run writes to its directory.

        Raises:
          LeaseLost: the directory or its lease is gone, or another run has it.
        """
        self._lost = self._lost or self._find_lost()
        if self._lost:
            raise LeaseLost(
                f"{self._lost}. This run stops and writes nothing more there; what it "
                "saved last is whole, wherever the folder is now."
            )

    def release(self) -> None:
        """Gives the directory back."""
        self._ended.set()
        if os.getpid() == self.holder.pid and self._find_lost() is None:
            lease_path(self.folder, self.name).unlink()

    def _find_lost(self) -> str | None:
        try:
            if self.folder.stat().st_ino != self.inode:
                return f"{self.folder} is another folder than at the start of the run"
            holder = read_holder(lease_path(self.folder, self.name))
        except FileNotFoundError:
            if self.folder.exists():
                return f"{lease_path(self.folder, self.name)} was deleted meanwhile"
            return f"{self.folder} was renamed or deleted during the run"
        if holder is None or holder.nonce != self.holder.nonce:
            return f"{self.folder} was taken over by {holder or 'another run'}"
        return None

    def _renew(self) -> None:
        while not self._ended.wait(RENEW_SECONDS):
            try:
                self._lost = self._lost or self._find_lost()
                if self._lost:
                    return
                # Not rewritten: a full disk must not end it, nor this another's.
                os.utime(lease_path(self.folder, self.name))
            except OSError:
                continue  # a storage that is away for a while; `check` tells


_LEASES: dict[tuple[Path, str], Lease] = {}
"""Of this process."""


def hold(folder: Path, name: str = "lease") -> Lease:
    """Takes the lease of a run directory, for as long as this process lives.

    Args:
      folder: of the run; it exists.
      name: of the lease's file: a table has one of its own in a folder with others.

    Returns:
      The same lease again if this process has it already.

    Raises:
      UsageError: another process trains there.
      OSError: the folder cannot be written to.
    """
    folder = folder.resolve()
    path = lease_path(folder, name)
    held = _LEASES.get((folder, name))
    if held is not None and held._find_lost() is None:
        return held
    mine = own_holder(folder)
    while not _create(path, mine):
        if _expired(path):
            write_whole(path, json.dumps(mine))
            time.sleep(_SETTLE_SECONDS)
            break
    holder = read_holder(path)
    if holder != mine:
        raise _refusal(path, holder)
    lease = Lease(folder, mine, folder.stat().st_ino, name)
    on_leaving(lease.release)
    _LEASES[folder, name] = lease
    return lease


def _create(path: Path, holder: Holder) -> bool:
    """Writes the file unless there is one."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        return False
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(json.dumps(holder))
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink()
        raise
    return True


def _expired(path: Path) -> bool:
    """Whether the lease counts for nothing; waits until that is known.

    Returns:
      False if it was released meanwhile.

    Raises:
      UsageError: its holder lives.
    """
    try:
        holder, first = read_holder(path), path.stat().st_mtime_ns
        if holder is not None and holder.folder != path.parent.stat().st_ino:
            return True  # it came with a copy of another run's folder
        if holder is not None and holder.machine == machine():
            if not has_ended(holder):
                raise _refusal(path, holder)
            return True
        # The clock of the file system, not ours: hosts' clocks differ.
        if _file_system_time(path.parent) - first / 1e9 > EXPIRES_SECONDS:
            return True
        began, said = time.monotonic(), False
        while (waited := time.monotonic() - began) < EXPIRES_SECONDS:
            if waited >= _SILENT_SECONDS and not said:
                said = True
                _LOG.warning(
                    "waiting up to %.0f s to see whether the holder of %s still runs: "
                    "%s.",
                    *(EXPIRES_SECONDS, path, holder or "unknown, the file is torn"),
                )
            time.sleep(0.5)
            if path.stat().st_mtime_ns != first:
                raise _refusal(path, read_holder(path))
    except FileNotFoundError:
        return False
    return True


def _refusal(path: Path, holder: Holder | None) -> UsageError:
    return UsageError(
        f"another process is training in {path.parent} ({holder or 'unknown'}; it "
        f"holds {path.name!r}); wait for it or stop it, or give this run another "
        "--run_dir, or a table another --out. The lease of a process that was killed "
        f"ends by itself, on another host after {EXPIRES_SECONDS:.0f} s."
    )


def lease_path(folder: Path, name: str = "lease") -> Path:
    """The file of a run directory's lease, or of that of a table in a folder."""
    return folder / name


def read_holder(path: Path) -> Holder | None:
    """The holder; None if the file is torn or no lease."""
    text = path.read_text(errors="replace")
    try:
        return Holder(*json.loads(text))
    except (ValueError, TypeError):
        return None


def _file_system_time(folder: Path) -> float:
    probe = folder / f".lease-{secrets.token_hex(8)}"
    probe.touch()
    try:
        return probe.stat().st_mtime
    finally:
        probe.unlink()


def machine() -> str:
    """Host, boot, and the namespace of process numbers (a container has its own)."""
    parts = [socket.gethostname()]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    except OSError:
        parts.append("no /proc")  # not Linux
    return " ".join(parts)


def _started(pid: int) -> str | None:
    """When a process began; None if there is none of that number, or a dead one."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return None if Path("/proc/self").exists() else _alive(pid)
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def _alive(pid: int) -> str | None:
    """The same without /proc, where only the number is known."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return "alive"
