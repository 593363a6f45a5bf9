"""Starts the processes of one run, each the real command line, and collects them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from sightline.launch.cli import main

MIXTURE = (
    "Mixture.name=small",
    "Mixture.vocabulary=bytes",
    "Mixture.rates={'text.causal': 1, 'text.span_corruption': 1}",
    "decoder_rows.slots=64",
    "decoder_rows.predictions=64",
)
"""Bindings of what is recorded; `text.folder` and `STEPS` are to be added."""

TINY = (
    *MIXTURE,
    "ModelConfig.layers=1",
    "ModelConfig.d_model=32",
    "ModelConfig.d_hidden=64",
    "ModelConfig.heads=2",
    "ModelConfig.kv_heads=2",
    "ModelConfig.head_dim=16",
    "train.log_every=1",
    "train.eval_every=4",
    "train.eval_batches=1",
    "train.checkpoint_every=2",
    "train.keep=99",
)
"""Bindings of a run that takes seconds; `train.data` and `STEPS` are to be added."""

_MAIN = (
    "import sys\nfrom sightline.launch.cli import main\nsys.exit(main(sys.argv[1:]))"
)


class Outcome(NamedTuple):
    """How a process ended.

    Attributes:
      status: its exit status; negative for a signal.
      output: stdout and stderr.
    """

    status: int
    output: str


def record(folder: Path) -> list[str]:
    """Records a few rows in a folder, and returns the bindings of runs on them.

    There are 176, so that a run of 8 a step comes to its second epoch in step 23.
    """
    documents = folder / "documents"
    documents.mkdir()
    texts = [{"text": f"Document {n} says little. " * 3} for n in range(600)]
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    (documents / "a.jsonl").write_text(lines)
    text = f"text.folder={documents}"
    bindings = [f"--gin.{binding}" for binding in (*MIXTURE, "STEPS=1", text)]
    options = ["--layout=per_objective", "--rows=64", "--shard_examples=64"]
    options += ["--held_out_rows=16", "--workers=1", f"--out={folder / 'rows'}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIGHTLINE_DATA_DIR", str(folder / "prepared"))
        assert main(["record", "--gin_file=any_mixture.gin", *bindings, *options]) == 0
    return [*TINY, text, f"train.data='{folder / 'rows'}'"]


@pytest.fixture(scope="session")
def rows(tmp_path_factory) -> list[str]:
    """Bindings of a tiny run on rows that were recorded once."""
    return record(tmp_path_factory.mktemp("recorded"))


@pytest.fixture(scope="session")
def compiled(tmp_path_factory) -> Path:
    """Where the runs of a session keep compiled programs."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(scope="session")
def start(tmp_path_factory, rows, compiled):
    """`start(run_dir, *bindings, processes=2, …)`: a `Run` on eight devices."""

    def start(run_dir, *bindings, processes=2, **settings):
        settings = {"devices": 8 // processes, "compiled": compiled, **settings}
        logs = tmp_path_factory.mktemp("logs")
        bound = [*rows, *bindings]
        return Run(run_dir, logs, bound, processes=processes, **settings)

    return start


def on(process: int, code: str) -> Callable[[int], str]:
    """`before` of a `Run`: one process runs the code."""
    return lambda number: code if number == process else ""


def at_step(step: int, action: str) -> str:
    """Code for `before`: an action, one line of Python, after a step."""
    return f"""
from sightline.launch.training import train as _train

_stops_after = _train.stopping.stops_after
def _patched(step, *, reason):
    if step == {step}:
        {action}
    return _stops_after(step, reason=reason)
_train.stopping.stops_after = _patched
"""


def free_port() -> int:
    """A port that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Run:
    """N processes of `sightline train`; those left are killed at the end of `with`."""

    def __init__(
        self,
        run_dir: Path,
        logs: Path,
        bindings: Sequence[str],
        *,
        processes: int,
        devices: int,
        compiled: Path,
        arguments: Callable[[int], Sequence[str]] = lambda process: (),
        before: Callable[[int], str] = lambda process: "",
        start: Sequence[int] | None = None,
    ):
        """Starts them.

        Args:
          run_dir: of the run.
          logs: a folder for what they print.
          bindings: `NAME=VALUE` of gin parameters.
          processes: N.
          devices: emulated CPU devices of each.
          compiled: folder of compiled programs.
          arguments: further words for a process; they win.
          before: Python code that a process runs first, to inject a fault.
          start: the processes to start; None: all.
        """
        port = free_port()
        logs.mkdir(parents=True, exist_ok=True)
        self._logs: dict[int, Path] = {}
        self.processes: dict[int, subprocess.Popen] = {}
        self.began = time.monotonic()
        for number in range(processes) if start is None else start:
            words = ["train", "--gin_file=any_mixture.gin", f"--run_dir={run_dir}"]
            words += [f"--gin.{text}" for text in bindings]
            if processes > 1:
                words += [f"--coordinator=127.0.0.1:{port}", "--join_seconds=60"]
                words += [f"--processes={processes}", f"--process={number}"]
            words += arguments(number)
            self._logs[number] = logs / f"{number}.log"
            with self._logs[number].open("w") as log:
                self.processes[number] = subprocess.Popen(
                    [sys.executable, "-c", f"{before(number)}\n{_MAIN}", *words],
                    env={
                        **os.environ,
                        "JAX_NUM_CPU_DEVICES": str(devices),
                        "JAX_COMPILATION_CACHE_DIR": str(compiled),
                        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
                        # Without the remarks of XLA on every program in the cache.
                        "TF_CPP_MIN_LOG_LEVEL": "3",
                    },
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()

    def output(self, number: int) -> str:
        """What a process has printed so far."""
        return self._logs[number].read_text(errors="replace")

    def send(self, number: int, what: signal.Signals) -> None:
        """Sends a signal to one process."""
        self.processes[number].send_signal(what)

    def wait_for(self, there: Callable[[], bool], *, seconds: float = 240) -> None:
        """Waits until it holds; fails if a process ends before."""
        deadline = time.monotonic() + seconds
        while not there():
            ended = {n: p.poll() for n, p in self.processes.items()}
            if any(status is not None for status in ended.values()):
                raise AssertionError(f"ended: {ended}\n{self._all_output()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"waited in vain\n{self._all_output()}")
            time.sleep(0.01)

    def wait(self, *, seconds: float = 300) -> dict[int, Outcome]:
        """Waits until all have ended."""
        deadline = time.monotonic() + seconds
        outcomes = {}
        for number, process in self.processes.items():
            try:
                left = max(0.1, deadline - time.monotonic())
                status = process.wait(timeout=left)
            except subprocess.TimeoutExpired:
                message = f"process {number} still runs\n{self._all_output()}"
                raise AssertionError(message) from None
            outcomes[number] = Outcome(status, self.output(number))
        return outcomes

    def _all_output(self) -> str:
        return "\n".join(f"--- {n}\n{self.output(n)[-3000:]}" for n in self._logs)


def statuses(outcomes: Mapping[int, Outcome]) -> list[int]:
    """The exit statuses by process."""
    return [outcome.status for _, outcome in sorted(outcomes.items())]


def last_batch(run_dir: Path, step: int) -> str:
    """Identity of the last batch before a checkpoint, over all processes."""
    (file,) = [
        path
        for path in (run_dir / "checkpoints" / str(step) / "data").rglob("*")
        if "metadata" in path.name
    ]
    return json.loads(file.read_text())["place"]["last_batch"]
