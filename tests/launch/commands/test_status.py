"""`status` and `report` read a run wherever its folder is seen, whatever is missing."""

import os
import subprocess
import sys

import jax.numpy as jnp
import pytest

from sightline.launch.runs.checkpoints import Checkpoints

CODE = "import sys; from sightline.launch.cli import main; main(sys.argv[1:])"


@pytest.fixture
def run_dir(tmp_path):
    """A run with a checkpoint and little else."""
    folder = tmp_path / "run"
    with Checkpoints(folder, keep=1, period=1) as checkpoints:
        checkpoints.save(4, {"w": jnp.arange(8.0)}, {})
    (folder / "config.gin").write_text("train.steps = 4\ntrain.batch_rows = 8\n")
    return folder


def test_they_need_no_accelerator(run_dir, tmp_path):
    """Nor take it from the training process beside them."""
    page = tmp_path / "page.html"
    for words in (["status", str(run_dir)], ["report", str(run_dir), f"--out={page}"]):
        done = subprocess.run(
            [sys.executable, "-c", CODE, *words],
            env={**os.environ, "JAX_PLATFORMS": "no_such_device"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0 and not done.stderr, done.stderr
        assert "unusable" not in done.stdout
    assert "unusable" not in page.read_text()
