"""Weights & Biases. Its own variables say where to: `WANDB_PROJECT`, `WANDB_MODE`, …

A run is one W&B run however often it resumes. Its history only grows, so what it holds
of steps after a checkpoint is not sent again. With `WANDB_MODE=offline` it is written
below `run_dir/wandb`, for `wandb sync`.
"""

import importlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..run_identity import bindings_of
from .tracker import Grid


def open_run(
    run_dir: Path, *, run_id: str | None, resume_step: int, recorded: Mapping[str, int]
) -> "WandB":
    """Begins a W&B run, or goes on with one."""
    del resume_step  # what it holds beyond that stays
    return WandB(run_dir, run_id=run_id, recorded=recorded)


class WandB:
    """A run of Weights & Biases."""

    def __init__(
        self, run_dir: Path, *, run_id: str | None, recorded: Mapping[str, int]
    ):
        wandb: Any = importlib.import_module("wandb")
        self._wandb = wandb
        self._run: Any = wandb.init(
            id=run_id,
            resume="allow" if run_id else None,
            name=run_dir.resolve().name,
            dir=str(run_dir),
            # The terminal is the run's; its output is no part of the record.
            settings=wandb.Settings(console="off", silent=True),
        )
        self.run_id: str = self._run.id
        # The step is a value of its own: W&B's counts calls.
        self._run.define_metric("step")
        self._run.define_metric("*", step_metric="step")
        self._recorded: dict[str, int] = {}
        if run_id:
            evaluated = [step for name, step in recorded.items() if "eval/" in name]
            tables = {"shares": 0, "held_out": max(evaluated, default=-1)}
            self._recorded = {**recorded, **tables}
        # Empty offline; online the last values, perhaps of steps that are not recorded.
        summary = dict(self._run.summary)
        last = int(summary.get("step", -1))
        for name in summary:
            self._recorded[name] = max(last, self._recorded.get(name, -1))

    def last_step(self, name: str) -> int:
        return self._recorded.get(name, -1)

    def config(self, text: str) -> None:
        values = {"config.gin": text, **bindings_of(text)}
        self._run.config.update(values, allow_val_change=True)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log({**values, "step": step})

    def table(self, step: int, name: str, grid: Grid) -> None:
        rows = [list(row) for row in grid.rows]
        table = self._wandb.Table(columns=list(grid.columns), data=rows)
        self._run.log({name: table, "step": step})

    def picture(self, step: int, name: str, png: bytes) -> None:
        from PIL import Image

        image = self._wandb.Image(Image.open(io.BytesIO(png)))
        self._run.log({name: image, "step": step})

    def close(self, *, failed: bool) -> None:
        self._run.finish(exit_code=1 if failed else 0)
