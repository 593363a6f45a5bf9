"""MLflow. Its own variables say where to: `MLFLOW_TRACKING_URI`, and others.

`MLFLOW_EXPERIMENT_NAME` names the experiment, which is made if missing. A run is one
MLflow run however often it resumes. A metric's history only grows, so what it holds of
steps after a checkpoint is not sent again.
"""

import csv
import functools
import importlib
import io
import itertools
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..run_identity import bindings_of
from .tracker import Grid

_MOST_PARAMETERS = 100
"""Of one call, as the service allows."""

_LONGEST_VALUE = 6000
"""Characters of a parameter, as the service allows."""


def open_run(
    run_dir: Path, *, run_id: str | None, resume_step: int, recorded: Mapping[str, int]
) -> "MLflow":
    """Begins an MLflow run, or goes on with one."""
    del resume_step, recorded  # the service knows what it holds
    return MLflow(run_dir, run_id=run_id)


class MLflow:
    """A run of MLflow."""

    def __init__(self, run_dir: Path, *, run_id: str | None):
        mlflow: Any = importlib.import_module("mlflow")
        entities: Any = importlib.import_module("mlflow.entities")
        self._metric, self._parameter = entities.Metric, entities.Param
        self._client: Any = mlflow.MlflowClient()
        self._is_new = run_id is None
        if run_id is None:
            run = self._client.create_run(
                self._experiment(), run_name=run_dir.resolve().name
            )
            run_id = str(run.info.run_id)
        else:
            self._client.update_run(run_id, status="RUNNING")
        self.run_id = run_id
        self._held = functools.cache(self._last_step)

    def last_step(self, name: str) -> int:
        return -1 if self._is_new else self._held(name)

    def config(self, text: str) -> None:
        self._client.log_text(self.run_id, text, "config.gin")
        if not self._is_new:
            return  # a parameter cannot be changed
        bindings = iter(bindings_of(text).items())
        while some := list(itertools.islice(bindings, _MOST_PARAMETERS)):
            parameters = [self._parameter(k, v[:_LONGEST_VALUE]) for k, v in some]
            self._client.log_batch(self.run_id, params=parameters)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        now = int(time.time() * 1000)
        metrics = [self._metric(k, float(v), now, step) for k, v in values.items()]
        self._client.log_batch(self.run_id, metrics=metrics)

    def table(self, step: int, name: str, grid: Grid) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([grid.columns, *grid.rows])
        path = f"tables/{name}/step-{step:08d}.csv"
        self._client.log_text(self.run_id, text.getvalue(), path)

    def picture(self, step: int, name: str, png: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"step-{step:08d}.png")
            path.write_bytes(png)
            self._client.log_artifact(self.run_id, str(path), f"pictures/{name}")

    def close(self, *, failed: bool) -> None:
        status = "FAILED" if failed else "FINISHED"
        self._client.set_terminated(self.run_id, status)

    def _experiment(self) -> str:
        """The id of the experiment, made if missing."""
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "Default")
        found = self._client.get_experiment_by_name(name)
        return found.experiment_id if found else self._client.create_experiment(name)

    def _last_step(self, name: str) -> int:
        history = self._client.get_metric_history(self.run_id, name)
        return max((metric.step for metric in history), default=-1)
