"""What the environment holds stays there."""

import os

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.fault(30)]

SECRETS = {
    name: f"canary-{number}-of-the-environment"
    for number, name in enumerate(
        ("HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "WANDB_API_KEY", "DATABASE_URL")
    )
}

CLASHES = """
import os
if os.environ.get("FAILS"):
    import sightline.launch.runs.trace as trace
    def write(self, number, step, secret=os.environ["HF_TOKEN"]):
        raise RuntimeError("no such luck")
    trace.StepTrace.write = write
"""
"""A run that fails has a secret among the local variables of its traceback."""

HANGS = """
import os, time
if os.environ.get("HANGS"):
    import sightline.launch.runs.trace as trace
    trace.StepTrace.write = lambda *_: time.sleep(600)
"""

WAYS = {"whole": 0, "FAILS": 1, "HANGS": 76}
"""How a run ends: its exit status."""


@pytest.mark.parametrize("way", WAYS)
def test_no_secret_of_the_environment_is_written(fault, way, trial, tmp_path):
    """Neither in the run directory nor in what is printed, however the run ends."""
    (tmp_path / "sitecustomize.py").write_text(CLASHES + HANGS)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    runs = trial(
        "train.stall_seconds=2.0" if way == "HANGS" else "train.stall_seconds=600.0",
        environment={**SECRETS, "PYTHONPATH": path, way: "yes"},
        options=["--log=json"],
    )
    with fault():
        run = runs.start("run")
        assert run.wait(limit=180) == [WAYS[way]], runs.log("run")
        assert "no such luck" in runs.log("run") or way != "FAILS"
        files = [p for p in runs.folder.rglob("*") if p.is_file()]
        assert len(files) > 3
        for file in files:
            content = file.read_bytes()
            for secret in SECRETS.values():
                assert secret.encode() not in content, file
