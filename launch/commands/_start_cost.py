"""How long a run takes to its first step, as a process of its own."""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from rich.progress import track

from ...objectives.errors import UsageError
from ..hosts.leaving import STOPPED
from ..runs.goodput import summary

PHASES = ("start_up", "restore", "compile")

_POLL = 0.05

Seconds = Float[np.ndarray, " rounds"]


def start_costs(
    gin_files: Sequence[str],
    bindings: Sequence[str],
    *,
    imports: Sequence[str],
    rounds: int,
) -> dict[str, Mapping[str, Seconds]]:
    """Seconds from the start of `sightline train` to its first step, by phase.

    Each round starts three runs and stops them after the first steps: one with an empty
    cache of compiled programs, one with the cache that it left, and this one resumed.

    Args:
      gin_files: of the configuration.
      bindings: of it; its trackers are left out, as nothing is kept of the runs.
      imports: modules that it needs.
      rounds: starts of each kind.

    Raises:
      UsageError: a run ended otherwise.
    """
    words = [f"--gin_file={file}" for file in gin_files]
    words += [f"--gin.{binding}" for binding in (*bindings, "train.trackers=()")]
    words += [f"--import={module}" for module in imports]
    seconds: dict[str, dict[str, list[float]]] = {}
    for _ in track(range(rounds), "Starting runs", transient=True):
        with tempfile.TemporaryDirectory(prefix="sightline-bench-") as folder:
            cold, warm = Path(folder, "cold"), Path(folder, "warm")
            cache = Path(folder, "compiled")
            for name, run_dir in (
                ("nothing compiled", cold),
                ("compiled before", warm),
                ("resumed", warm),
            ):
                before = summary(run_dir).seconds if name == "resumed" else {}
                _train(words, run_dir, cache=cache)
                after = summary(run_dir).seconds
                times = {p: after[p] - before.get(p, 0.0) for p in PHASES}
                for phase, value in ({"all": sum(times.values())} | times).items():
                    seconds.setdefault(name, {}).setdefault(phase, []).append(value)
    return {
        name: {phase: np.array(values) for phase, values in phases.items()}
        for name, phases in seconds.items()
    }


def _train(configured: Sequence[str], run_dir: Path, *, cache: Path) -> None:
    """Trains in a process of its own, until it has written a step down."""
    words = [*configured, f"--run_dir={run_dir}"]
    command = [sys.executable, "-m", "sightline", "train", *words]
    trace = run_dir / "steps.jsonl"
    size = _size(trace)
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command,
            env=os.environ | {"JAX_COMPILATION_CACHE_DIR": str(cache)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while process.poll() is None and _size(trace) == size:
                time.sleep(_POLL)
            process.terminate()
            status = process.wait()
        finally:
            process.kill()
        output.seek(0)
        if status not in (0, STOPPED) or _size(trace) == size:
            raise UsageError(
                f"`{shlex.join(['sightline', 'train', *words])}` ended with {status}: "
                f"{output.read()[-2000:]}"
            )


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
