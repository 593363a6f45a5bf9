"""What tests of submission share: a job with words that no shell may touch."""

import os
import subprocess
from pathlib import Path

import pytest
from process_runs import compiled, rows

from sightline.launch.pods.submit.job import TrainJob

__all__ = ["compiled", "rows"]

NASTY = 'it\'s $HOME `id` $(id) $(SLICE) $$ "x" \\ * ; é'
"""Words that mean something to shells, to Kubernetes and to YAML."""

CONFIG = f"train.steps = 3\n# {NASTY}\nEND_OF_CONFIG\n  a = '{{{{ b }}}}'\n"


@pytest.fixture
def job() -> TrainJob:
    return TrainJob(
        name="mine",
        run_dir=f"/shared/runs/{NASTY}",
        config=CONFIG,
        options=(f"--allow={NASTY}",),
        variables={"FLAGS": NASTY},
    )


@pytest.fixture
def plain_job() -> TrainJob:
    return TrainJob(name="mine", run_dir="/shared/runs/mine", config=CONFIG)


@pytest.fixture
def bin_dir(tmp_path, monkeypatch) -> Path:
    """A folder of programs that come before the system's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


@pytest.fixture
def add_program(bin_dir):
    """`add_program(name, text)`: a bash script on the path."""

    def add(name: str, text: str) -> None:
        path = bin_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)

    return add


@pytest.fixture
def bash(tmp_path):
    """`bash(text, **variables)`: a script as `--apply` runs it."""

    def run(text: str, **variables: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["bash"],
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "HOME": str(tmp_path), **variables},
            check=False,
        )

    return run
