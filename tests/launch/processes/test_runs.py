"""One run on one, two and four hosts: the same rows, losses and checkpoints."""

import numpy as np
import pytest

from sightline.launch.cli import main
from sightline.launch.runs import metrics

pytestmark = pytest.mark.unchecked


def losses(run_dir):
    """Losses of all steps, of training and held-out, in order."""
    records = metrics.read(run_dir / "metrics.jsonl")
    names = ("train/loss", "eval/causal/loss", "train/grad_norm")
    return [record[name] for record in records for name in names if name in record]


def shares(run_dir):
    records = metrics.read(run_dir / "metrics.jsonl")
    return [{k: v for k, v in r.items() if k.startswith("shares")} for r in records]


@pytest.fixture(scope="module")
def alone(launch, corpus, data_dir, tmp_path_factory):
    """A run of six steps in this process, on eight devices."""
    run_dir = tmp_path_factory.mktemp("alone") / "run"
    bindings = [*launch.TINY, f"text.folder={corpus}", "STEPS=6"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIGHTLINE_DATA_DIR", str(data_dir))
        words = [f"--gin.{text}" for text in bindings]
        assert (
            main(
                ["train", "--gin_file=any_mixture.gin", f"--run_dir={run_dir}", *words]
            )
            == 0
        )
    return run_dir


def assert_same_run(found, expected, launch, steps=(2, 4, 6)):
    np.testing.assert_allclose(losses(found), losses(expected), rtol=2e-6)
    assert shares(found) == shares(expected)
    for step in steps:
        data, wanted = (launch.checkpoint(r, step)[1] for r in (found, expected))
        assert data["last_batch"] == wanted["last_batch"]
        assert data["interval"]["counts"] == wanted["interval"]["counts"]


def test_two_hosts_train_as_one_does(alone, start, launch, tmp_path):
    run_dir = tmp_path / "two"
    with start(run_dir, "STEPS=6") as run:
        assert launch.statuses(run.wait()) == [0, 0]
        assert "Held-out, step 6" in run.output(0)
        assert "Held-out" not in run.output(1)
    assert_same_run(run_dir, alone, launch)
    assert not (run_dir / "lease").exists()


@pytest.mark.faults
def test_stopped_on_four_hosts_and_resumed_on_two_and_one(
    alone, start, launch, tmp_path
):
    run_dir = tmp_path / "shrinking"
    for processes, steps in ((4, 2), (2, 4), (1, 6)):
        settings = {"processes": processes, "devices": 8 // processes}
        with start(run_dir, f"STEPS={steps}", *CONSTANT, **settings) as run:
            assert launch.statuses(run.wait()) == [0] * processes
    whole = tmp_path / "whole"
    with start(whole, "STEPS=6", *CONSTANT, processes=1, devices=8) as run:
        assert launch.statuses(run.wait()) == [0]
    found = [r for r in metrics.read(run_dir / "metrics.jsonl") if "train/loss" in r]
    wanted = [r for r in metrics.read(whole / "metrics.jsonl") if "train/loss" in r]
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one["train/loss"], other["train/loss"], rtol=2e-6)
    for step in (2, 4, 6):
        data, expected = (launch.checkpoint(r, step)[1] for r in (run_dir, whole))
        assert data["last_batch"] == expected["last_batch"]


CONSTANT = ("warmup_cosine.final_fraction=1.0",)
"""A schedule that does not depend on the number of steps."""


@pytest.mark.faults
@pytest.mark.parametrize("axis", ["tensor", "sequence"])
def test_hosts_of_one_model_parallel_group_load_the_same_rows(
    axis, alone, start, launch, tmp_path
):
    """With one device a host, the axis of two lies across hosts."""
    run_dir = tmp_path / axis
    bindings = ["STEPS=6", "MeshShape.data=1", f"MeshShape.{axis}=2"]
    with start(run_dir, *bindings, processes=2, devices=1) as run:
        assert launch.statuses(run.wait()) == [0, 0]
    assert_same_run(run_dir, alone, launch)


@pytest.mark.faults
def test_two_slices_train_as_one_device_mesh_does(alone, start, launch, tmp_path):
    run_dir = tmp_path / "slices"
    with start(run_dir, "STEPS=6", "MeshShape.slices=2", "MeshShape.fsdp=2") as run:
        assert launch.statuses(run.wait()) == [0, 0]
    assert_same_run(run_dir, alone, launch)


def test_processes_of_other_configs_are_refused(start, launch, tmp_path):
    run_dir = tmp_path / "run"
    with start(
        run_dir,
        "STEPS=6",
        arguments=lambda n: ["--gin.train.clip_norm=0.5"] if n == 1 else [],
    ) as run:
        outcomes = run.wait()
    assert set(launch.statuses(outcomes)) <= {2, 77}
    for outcome in outcomes.values():
        assert "the processes differ in their config" in outcome.output
        assert "train.clip_norm = 0.5" in outcome.output
    assert not run_dir.exists()
