"""How long a configuration's steps wait for their data, in short real runs."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from rich.console import Console
from rich.progress import track

from ..runs.metrics import read
from ..terminal.log import RunLog
from ..training.resume import RunConfig
from ..training.train import train

_STEPS = 80
"""Of each run."""

_STEPS_A_RECORD = 4

_WARM_UP = 20
"""First steps of a run, which are left out: what was made in advance is used up."""


def data_waits(
    settings: Mapping[str, Any], *, recording: str | None
) -> dict[str, Float[np.ndarray, " records"]]:
    """Shares of the time of steps that was waited for data, in short runs.

    Args:
      settings: arguments of `train`; the runs evaluate nothing, and keep and track
        nothing outside a temporary folder.
      recording: folder of recorded rows to train on as well; None for none.
    """
    sources = {"streaming": None} | ({"recorded": recording} if recording else {})
    return {
        name: _waits(dict(settings), data)
        for name, data in track(sources.items(), "Training", transient=True)
    }


def _waits(settings: dict[str, Any], data: str | None) -> Float[np.ndarray, " records"]:
    schedule, whole = settings["schedule"], settings["steps"]
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as folder:
        done = train(
            **settings
            | {
                "run_dir": folder,
                "config": RunConfig("", (), RunLog(Console(), first=False)),
                "data": data,
                # Recorded rows are read by this process, and refuse others.
                "data_workers": 0 if data else settings.get("data_workers", 1),
                "start_from": None,
                # As long as the run's: a warm-up may be longer than this one.
                "schedule": lambda *, steps: schedule(steps=whole),
                "steps": _STEPS,
                "log_every": _STEPS_A_RECORD,
                "eval_batches": 0,
                "checkpoint_every": _STEPS,
                "trackers": (),
            }
        )
        if done < _STEPS:
            raise KeyboardInterrupt  # the run took the signal, and saved
        records = read(Path(folder) / "metrics.jsonl")
    return np.array([r["data_wait"] for r in records if r["step"] > _WARM_UP])
