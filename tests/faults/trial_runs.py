"""Runs of the real command line, small enough to be killed many times."""

import contextlib
import dataclasses
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

TINY_MODEL = (
    "ModelConfig.layers=1",
    "ModelConfig.d_model=32",
    "ModelConfig.d_hidden=64",
    "ModelConfig.heads=2",
    "ModelConfig.kv_heads=2",
    "ModelConfig.head_dim=16",
)
"""Bindings of a model whose step takes milliseconds."""

SMALL = ("train.batch_rows=8", "train.eval_batches=0", *TINY_MODEL)
"""Bindings that make the quickstart small."""

DEVICES = 8
"""Emulated devices of a run, over all its processes."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial:
    """How the runs of a trial are started.

    Attributes:
      folder: of everything that they write, logs too.
      bindings: gin bindings of all of them.
      processes: of each run.
      options: other options of `sightline train`.
      gin_file: that the bindings are added to.
      environment: further variables.
    """

    folder: Path
    bindings: Sequence[str] = ()
    processes: int = 1
    options: Sequence[str] = ()
    gin_file: str = "quickstart.gin"
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def start(self, name: str, *bindings: str) -> "Run":
        """Starts a run in the directory `name`, or resumes it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        port = _free_port()
        run = Run(self.folder / name, [])
        for number in range(self.processes):
            log = (self.folder / f"{name}.{number}.log").open("ab")
            run.processes.append(
                subprocess.Popen(
                    self._command(run.folder, bindings, port=port, number=number),
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    # A signal to the run is not one to the trial.
                    start_new_session=True,
                )
            )
            log.close()
        return run

    def finish(self, name: str, *bindings: str, limit: float = 300) -> "Run":
        """Starts a run and waits until it has ended well."""
        run = self.start(name, *bindings)
        statuses = run.wait(limit=limit)
        if any(statuses):
            raise AssertionError(f"{name} ended with {statuses}: {self.log(name)}")
        return run

    def log(self, name: str, *, number: int = 0, last: int = 3000) -> str:
        """The end of what a process of a run has printed."""
        path = self.folder / f"{name}.{number}.log"
        return path.read_text(errors="replace")[-last:]

    def _command(self, run_dir: Path, bindings, *, port: int, number: int) -> list[str]:
        bound = [f"--gin.{b}" for b in (*SMALL, *self.bindings, *bindings)]
        together = [
            f"--coordinator=127.0.0.1:{port}",
            f"--processes={self.processes}",
            f"--process={number}",
            # Of a process that is killed before it has joined, the others know nothing.
            "--join_seconds=30",
        ]
        return [
            *(sys.executable, "-m", "sightline", "train"),
            *(f"--gin_file={self.gin_file}", f"--run_dir={run_dir}"),
            *(together if self.processes > 1 else ()),
            *self.options,
            *bound,
        ]

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "JAX_PLATFORMS": "cpu",
            "JAX_NUM_CPU_DEVICES": str(DEVICES // self.processes),
            "JAX_COMPILATION_CACHE_DIR": str(self.folder / "compiled"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "PYTHONFAULTHANDLER": "1",
            # XLA writes a page on every program that it takes from the cache.
            "TF_CPP_MIN_LOG_LEVEL": "3",
            **self.environment,
        }


@dataclasses.dataclass(frozen=True)
class Run:
    """A run that has been started.

    Attributes:
      folder: its run directory.
      processes: of the run, by number.
    """

    folder: Path
    processes: list[subprocess.Popen]

    def wait(self, *, limit: float = 300) -> list[int]:
        """The exit status of each process; all are killed when the limit has passed."""
        deadline = time.monotonic() + limit
        try:
            return [
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
                for process in self.processes
            ]
        except subprocess.TimeoutExpired:
            self.kill(signal.SIGABRT)  # the stacks go to the log
            time.sleep(2)
            self.kill()
            for process in self.processes:
                process.wait()
            raise AssertionError(f"{self.folder} did not end in {limit} s") from None

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Sends a signal to every process that still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(how)

    @property
    def running(self) -> bool:
        """Whether any process still runs."""
        return any(process.poll() is None for process in self.processes)

    def wait_for(self, condition, *, limit: float = 240) -> None:
        """Waits until a condition holds, or fails if the run ends before."""
        deadline = time.monotonic() + limit
        while not condition():
            ended = [p.poll() for p in self.processes]
            if all(status is not None for status in ended):
                raise AssertionError(f"{self.folder} ended with {ended}")
            if time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"{self.folder}: nothing in {limit} s")
            time.sleep(0.005)

    def wait_for_step(self, step: int) -> None:
        """Waits until a step has been written to the run's trace."""
        self.wait_for(lambda: last_step(self.folder) >= step)

    def saving(self) -> bool:
        """Whether a checkpoint is being written at this moment."""
        return any((self.folder / "checkpoints").glob("*.orbax-checkpoint-tmp*"))


def trace(run_dir: Path) -> list[dict]:
    """What the run's steps computed, in order; a torn last line is left out."""
    path = run_dir / "steps.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def last_step(run_dir: Path) -> int:
    """The newest step in the run's trace; 0 if there is none."""
    steps = trace(run_dir)
    return steps[-1]["step"] if steps else 0


def fingerprints(run_dir: Path, step: int) -> dict:
    """What the checkpoint of a step holds, by the fingerprints in its manifest."""
    path = run_dir / "checkpoints" / str(step) / "manifest"
    (file,) = [f for f in path.rglob("*") if f.is_file() and "metadata" in f.name]
    return json.loads(file.read_text())["arrays"]


def saved_steps(run_dir: Path) -> list[int]:
    """Steps of the committed checkpoints, in order."""
    names = [path.name for path in (run_dir / "checkpoints").glob("*")]
    return sorted(int(name) for name in names if name.isdigit())


def same(a: Path, b: Path, *, step: int) -> bool:
    """Whether two runs computed the same steps and ended in the same state, bitwise."""
    return trace(a) == trace(b) and fingerprints(a, step) == fingerprints(b, step)


def kill_at_random(run: Run, rng: random.Random, *, longest: float) -> str:
    """Kills one process or all of a run at a random moment.

    Half of the kills are aimed at a save: the moment is drawn from its first 80 ms.

    Args:
      run: that was just started.
      rng: draws the moment.
      longest: seconds until the latest moment.

    Returns:
      "saving", "running", or "ended" if the run ended before.
    """
    aimed = rng.random() < 0.5
    deadline = time.monotonic() + (longest if aimed else rng.uniform(0, longest))
    while time.monotonic() < deadline and run.running and not (aimed and run.saving()):
        time.sleep(0.002)
    if aimed and run.saving():
        time.sleep(rng.uniform(0, 0.08))
    if not run.running:
        return "ended"
    moment = "saving" if run.saving() else "running"
    if rng.random() < 0.5:
        run.kill()
    else:
        rng.choice(run.processes).kill()
    run.wait(limit=120)
    return moment


def workers(pid: int) -> list[int]:
    """The processes that a process has spawned for work and that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # The name, in brackets, may hold spaces.
            state, parent, *_ = path.read_text().rpartition(")")[2].split()
            words = path.with_name("cmdline").read_bytes()
            # Python spawns one that looks after the others, too.
            spawned = int(parent) == pid and b"spawn_main" in words
            if spawned and state not in "ZX":
                found.append(int(path.parent.name))
    return sorted(found)


def kill_in_save(run: Run, rng: random.Random) -> str:
    """Kills a run at a random moment of one of its next saves; "saving" if it was one.

    A save takes about a tenth of a second, most of it before it is seen on disk.
    """
    for _ in range(rng.randrange(1, 4)):
        run.wait_for(lambda: not run.saving())
        run.wait_for(run.saving)
    time.sleep(rng.uniform(0, 0.08))
    moment = "saving" if run.saving() else "running"
    run.kill()
    run.wait(limit=60)
    return moment


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
