"""The config with which a run computed a step, and how the present one differs."""

import os
from pathlib import Path

from ...objectives.errors import UsageError
from .changes import read_changes
from .run_identity import RunIdentity, bindings_of, differences_of_step

CONFIG = "config.gin"


def bindings_at(run_dir: str | os.PathLike[str], step: int) -> dict[str, str]:
    """The bindings with which a run computed a step: the last ones, changes undone.

    Raises:
      UsageError: the run has no config.gin, or changes.jsonl is damaged.
    """
    bindings = bindings_of(_text(run_dir))
    later = None
    for changed_at, change in reversed(read_changes(run_dir)):
        if later is not None and changed_at > later:
            continue  # of steps that were then taken again
        later = changed_at
        if changed_at < step:
            continue
        if change.before is None:
            bindings.pop(change.name, None)
        else:
            bindings[change.name] = change.before
    return bindings


def check_same_step(
    run_dir: str | os.PathLike[str], now: RunIdentity, *, step: int
) -> None:
    """Refuses another config than that with which a run computed a step.

    Raises:
      UsageError: it differs in what changes the bits of a step; says where.
    """
    saved = _text(run_dir)
    different = differences_of_step(bindings_at(run_dir, step), saved, now)
    if different:
        lines = "\n".join(map(str, different))
        raise UsageError(
            f"the run computed step {step} with another config:\n--- run\n+++ now\n"
            f"{lines}\nCompute it again with the run's own, --gin_file="
            f"{Path(run_dir) / CONFIG}, and what changes.jsonl says was changed later; "
            "text and vocabulary must be as they were."
        )


def _text(run_dir: str | os.PathLike[str]) -> str:
    path = Path(run_dir) / CONFIG
    try:
        return path.read_text("utf-8", errors="replace")
    except FileNotFoundError:
        raise UsageError(
            f"{os.fspath(run_dir)!r} has no {CONFIG}, which says what its steps were "
            "computed with; put it back, or start the run again, which writes it."
        ) from None
