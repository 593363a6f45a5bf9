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

TINY = (
    "ModelConfig.layers=1",
    "ModelConfig.d_model=32",
    "ModelConfig.d_hidden=64",
    "ModelConfig.heads=2",
    "ModelConfig.kv_heads=2",
    "ModelConfig.head_dim=16",
    "decoder_rows.slots=64",
    "decoder_rows.predictions=64",
    "Mixture.name=small",
    "Mixture.vocabulary=bytes",
    "Mixture.rates={'text.causal': 1}",
    "train.log_every=1",
    "train.eval_every=4",
    "train.eval_batches=1",
    "train.checkpoint_every=2",
    "train.keep=9",
)
"""Bindings of a run that takes seconds; `STEPS` and `text.folder` are to be added."""

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


def write_corpus(folder: Path, documents: int = 60) -> Path:
    """A folder of short documents for the corpus `text`."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = [{"text": f"Document {n} says little. " * 3} for n in range(documents)]
    (folder / "a.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts))
    return folder


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
        environment: Mapping[str, str] | None = None,
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
          environment: further variables.
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
                        **(environment or {}),
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

    def wait_for(self, there: Callable[[], bool], *, seconds: float = 90) -> None:
        """Waits until it holds; fails if a process ends before."""
        deadline = time.monotonic() + seconds
        while not there():
            ended = {n: p.poll() for n, p in self.processes.items()}
            if any(status is not None for status in ended.values()):
                raise AssertionError(f"ended: {ended}\n{self._all_output()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"waited in vain\n{self._all_output()}")
            time.sleep(0.05)

    def wait(self, *, seconds: float = 120) -> dict[int, Outcome]:
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


def checkpoint(run_dir: Path, step: int) -> tuple[dict, dict]:
    """Fingerprints of a checkpoint's arrays by name, and its data."""
    path = run_dir / "checkpoints" / str(step)

    def read(item: str) -> dict:
        files = [f for f in (path / item).rglob("*") if "metadata" in f.name]
        return json.loads(files[0].read_text())

    arrays = read("manifest")["arrays"]
    return {name: entry["fingerprint"] for name, entry in arrays.items()}, read("data")
