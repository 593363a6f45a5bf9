"""Where the wall time of a run went, over all its restarts.

`run_dir/goodput.jsonl` is appended to as the run goes. A line says how the time since
the line before was spent, so the parts add up to wall time by construction, and a kill
loses what one period holds: it shows as time stopped.
"""

import contextlib
import json
import math
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .directory import StorageError, close_after, storage_errors
from .json_lines import append_whole, keep_lines, read_lines


def file_of(host: int) -> str:
    """The name of the file of a host."""
    return f"goodput-{host}.jsonl" if host else "goodput.jsonl"


PERIOD = 10.0
"""Seconds between two lines: the most that a kill hides."""

PHASES = (
    "start_up",
    "restore",
    "compile",
    "compute",
    "data",
    "checkpoint",
    "evaluation",
)
"""What a run may be doing; `lost` and `stopped` are known only afterwards."""


class Goodput:
    """Accounts for the time of one process of a run.

    It counts from the start, and writes inside `with`: a start that is refused leaves
    nothing. A thread writes what has passed every `PERIOD`, also in mid-phase.

    Only when the process began is told by the system's clock, which may be set while a
    run goes on; what has passed since is counted by one that nobody sets.
    """

    def __init__(
        self,
        run_dir: str | os.PathLike[str],
        *,
        host: int = 0,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        age: float | None = None,
        period: float = PERIOD,
    ):
        """Begins in the phase `start_up`.

        Args:
          run_dir: the run's folder.
          host: index of this process; each has a file of its own.
          clock: seconds from any moment on, never set.
          wall: seconds since 1970.
          age: seconds since the process began; by default as the system says.
          period: seconds between lines; 0 leaves writing to `flush`.
        """
        self._path = Path(run_dir) / file_of(host)
        self._clock = clock
        self._period = period
        now, age = wall(), process_age() if age is None else age
        self._begin = now - age
        last = _last_time(self._path)
        if last is not None and last > self._begin:
            # The process runs for the second time, or the clock was ahead before.
            self._begin, age = last, max(0.0, now - last)
        self._first = self._since = clock() - age
        self._phase = "start_up"
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._total: defaultdict[str, float] = defaultdict(float)
        self._step: int | None = None
        self._written_step: int | None = None
        self._failure: StorageError | None = None
        self._lock = threading.RLock()
        self._closed = threading.Event()

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Charges the time inside to a phase, and then returns to the one before."""
        before = self._switch(name)
        try:
            yield
        finally:
            self._switch(before)

    def enter(self, name: str) -> None:
        """Charges the time from now on to a phase."""
        self._switch(name)

    def at_step(self, step: int) -> None:
        """Tells how many steps are done; the first call, with how many it starts.

        Raises:
          StorageError: the thread could not write.
        """
        with self._lock:
            if self._failure is not None:
                raise self._failure
            if self._step is None:
                self._written_step = step
            self._step = step

    def seconds(self, name: str) -> float:
        """Seconds in a phase since this process began."""
        with self._lock:
            self._charge()
            return self._total[name]

    def flush(self) -> None:
        """Appends a line with what has passed since the last one.

        Raises:
          StorageError: it cannot be written.
        """
        with self._lock:
            self._charge()
            until = self._begin + (self._since - self._first)
            line: dict[str, Any] = {"until": until, "seconds": self._seconds}
            if self._step is not None:
                line |= {"from": self._written_step, "step": self._step}
            self._append(line)
            self._written_step = self._step
            self._seconds = defaultdict(float)

    def close(self) -> None:
        """Writes the rest."""
        self._closed.set()
        self.flush()

    def __enter__(self) -> "Goodput":
        with storage_errors("the account of time", self._path.parent):
            keep_lines(self._path, _checked)
        self._append({"begin": self._begin, "process": os.getpid()})
        self.flush()
        if self._period:
            name = "sightline-goodput"
            threading.Thread(target=self._write_often, name=name, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        close_after(kind, self.close)

    def _switch(self, name: str) -> str:
        with self._lock:
            self._charge()
            before, self._phase = self._phase, name
            return before

    def _charge(self) -> None:
        now = self._clock()
        self._seconds[self._phase] += now - self._since
        self._total[self._phase] += now - self._since
        self._since = now

    def _append(self, line: Mapping[str, Any]) -> None:
        # The folder is not made: it may have been deleted under the run.
        with storage_errors("the account of time", self._path.parent):
            append_whole(self._path, json.dumps(line) + "\n")

    def _write_often(self) -> None:
        while not self._closed.wait(self._period):
            try:
                self.flush()
            except StorageError as error:
                self._failure = error  # raised where the run next tells its step
                return


class Summary(NamedTuple):
    """The time of a run, over all its restarts.

    Attributes:
      seconds: by phase, and `lost` (steps that a later start computed again) and
        `stopped` (between a process's last line and the start of the next).
      wall: seconds from the first start to the last line, their sum.
      starts: number of processes.
      lost_steps: number of steps computed again.
    """

    seconds: dict[str, float]
    wall: float
    starts: int
    lost_steps: int

    @property
    def goodput(self) -> float:
        """Share of the wall time that computed steps which count."""
        return self.seconds["compute"] / self.wall if self.wall else 0.0


def hosts(run_dir: str | os.PathLike[str]) -> list[int]:
    """The hosts of a run that have an account, by number."""
    number = 0
    while (Path(run_dir) / file_of(number)).is_file():
        number += 1
    return list(range(number))


def summary(run_dir: str | os.PathLike[str], *, host: int = 0) -> Summary:
    """Adds up the time of one host of a run; the parts sum to `wall`.

    Steps are lost when a start resumes from before the step that was reached: of the
    lines of those steps, `compute` counts as `lost`, in proportion to the steps.
    """
    seconds: defaultdict[str, float] = defaultdict(float)
    computed: list[tuple[int, int, float]] = []  # steps [from, to), seconds
    lost_steps, starts, last = 0, 0, None
    for line in read(Path(run_dir) / file_of(host)):
        if "begin" in line:
            starts += 1
            seconds["stopped"] += line["begin"] - (last if last else line["begin"])
            last = line["begin"]
            continue
        last = line["until"]
        for name, spent in line["seconds"].items():
            seconds[name] += spent
        if "step" not in line:
            continue
        if computed and line["from"] < computed[-1][1]:
            lost_steps += computed[-1][1] - line["from"]
            computed, lost = _cut(computed, line["from"])
            seconds["compute"] = max(0.0, seconds["compute"] - lost)  # rounding
            seconds["lost"] += lost
        computed.append((line["from"], line["step"], line["seconds"].get("compute", 0)))
    parts = {name: seconds[name] for name in (*PHASES, "lost", "stopped")}
    return Summary(parts, sum(parts.values()), starts, lost_steps)


def _cut(
    computed: list[tuple[int, int, float]], step: int
) -> tuple[list[tuple[int, int, float]], float]:
    """What was computed up to a step, and the seconds of what came after."""
    kept, lost = [], 0.0
    for begin, end, seconds in computed:
        if end <= step:
            kept.append((begin, end, seconds))
            continue
        share = max(0, step - begin) / (end - begin) if end > begin else 0.0
        if share:
            kept.append((begin, step, seconds * share))
        lost += seconds * (1 - share)
    return kept, lost


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a goodput file, without a torn last one; none if it is missing.

    Raises:
      UsageError: a line is no part of such an account.
    """
    return read_lines(path, _checked)


def process_age() -> float:
    """Seconds since this process started; 0 if it cannot be told."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    ticks = int(fields[19])  # since the machine's start
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def _last_time(path: Path) -> float | None:
    """The time of the last line; None if there is none."""
    lines = read(path)
    return lines[-1].get("until", lines[-1].get("begin")) if lines else None


def _checked(line: Any) -> dict[str, Any]:
    """A line of an account as it was written: a start, or how the time was spent."""
    spent = line["seconds"].values() if "begin" not in line else ()
    if "step" in line:
        spent = *spent, line["from"], line["step"]
    total = math.fsum((line["begin"] if "begin" in line else line["until"], *spent))
    if not math.isfinite(total):
        raise ValueError("a time or a step is no number")
    return line
