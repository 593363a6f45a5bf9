"""Where a run's metrics go beside `metrics.jsonl`; a file each, chosen by name."""

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ....objectives.errors import UsageError, nearest
from .background import Background
from .tracker import Tracker

LIBRARIES: Mapping[str, str | None] = {
    "tensorboard": None,
    "wandb": "wandb",
    "mlflow": "mlflow",
}
"""Trackers, and the library that each needs beside those of the base install."""


def check_trackers(names: Sequence[str]) -> None:
    """Refuses trackers that there are not.

    Raises:
      UsageError: an unknown name, or one given twice.
    """
    if isinstance(names, str):
        raise UsageError(f"train.trackers is {names!r}; write a tuple, ({names!r},).")
    for name in names:
        if name not in LIBRARIES:
            raise UsageError(f"train.trackers: no {name!r}; {nearest(name, LIBRARIES)}")
        if list(names).count(name) > 1:
            raise UsageError(f"train.trackers names {name!r} twice; once will do.")


def check_libraries(names: Sequence[str]) -> None:
    """Refuses trackers whose library is missing on this machine.

    Raises:
      UsageError: there is a library to install.
    """
    for name in names:
        library = LIBRARIES[name]
        if library is None:
            continue
        spec = importlib.util.find_spec(library)
        # A folder of that name, such as W&B leaves, is found too; it has no origin.
        if spec is None or spec.origin is None:
            raise UsageError(
                f"train.trackers names {name!r}, whose library {library!r} is not "
                "installed; run pip install 'sightline[trackers]', or take it out."
            )


def any_service(names: Sequence[str]) -> bool:
    """Whether one of them is a service, which keeps what a resumed run sent before."""
    return any(LIBRARIES[name] is not None for name in names)


def open_tracker(
    name: str,
    run_dir: Path,
    *,
    run_id: str | None,
    resume_step: int,
    recorded: Mapping[str, int],
) -> Tracker:
    """Opens a tracker; one of a service is fed by a thread of its own.

    Args:
      name: of the tracker.
      run_dir: the run's folder.
      run_id: under which it knows the run; None for a new one.
      resume_step: the step after which it goes on; 0 for a new one.
      recorded: the last step that has a value of each name, also beyond `resume_step`;
        only a service needs it.

    Raises:
      UsageError: it cannot be opened for a new run.
    """

    def open_run() -> Any:  # a Service, or a Tracker where it needs no library
        module = importlib.import_module(f".{name}", __package__)
        return module.open_run(
            run_dir, run_id=run_id, resume_step=resume_step, recorded=recorded
        )

    if LIBRARIES[name] is None:
        return open_run()
    return Background(name, open_run, is_new=run_id is None)
