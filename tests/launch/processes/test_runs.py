"""One run on one, two and four hosts: the same rows, losses and checkpoints."""

import numpy as np
import pytest
from process_runs import at_step, last_batch, on, statuses
from trial_runs import trace

from sightline.launch.cli import main
from sightline.launch.runs import metrics
from sightline.launch.runs.run_identity import written_origin

pytestmark = pytest.mark.unchecked

STEPS = (2, 4, 6)
"""Of the checkpoints that are compared."""


def train_alone(run_dir, *bindings):
    """A run of six steps in this process, on eight devices."""
    words = [f"--gin.{text}" for text in (*bindings, "STEPS=6")]
    command = ["train", "--gin_file=any_mixture.gin", f"--run_dir={run_dir}", *words]
    assert main(command) == 0
    return run_dir


@pytest.fixture(scope="module")
def alone(rows, tmp_path_factory):
    return train_alone(tmp_path_factory.mktemp("alone") / "run", *rows)


def held_out(run_dir):
    """Held-out losses of both tasks, in order, and the shares of every record."""
    records = metrics.read(run_dir / "metrics.jsonl")
    losses = [v for r in records for k, v in r.items() if k.startswith("eval/")]
    return losses, [
        {k: v for k, v in r.items() if k.startswith("shares")} for r in records
    ]


def assert_same_run(found, expected):
    steps, wanted = trace(found), trace(expected)
    assert [step["step"] for step in steps] == [step["step"] for step in wanted]
    for name, tolerance in (("loss", 1e-6), ("grad_norm", 1e-5)):
        values, others = ([step[name] for step in run] for run in (steps, wanted))
        np.testing.assert_allclose(values, others, rtol=tolerance)
    (losses, shares), (wanted_losses, wanted_shares) = map(held_out, (found, expected))
    np.testing.assert_allclose(losses, wanted_losses, rtol=1e-6)
    assert shares == wanted_shares
    for step in STEPS:
        assert last_batch(found, step) == last_batch(expected, step)


def test_two_hosts_train_as_one_does(alone, start, tmp_path):
    run_dir = tmp_path / "two"
    with start(run_dir, "STEPS=6") as run:
        assert statuses(run.wait()) == [0, 0]
        assert "Held-out, step 6" in run.output(0)
        assert "Held-out" not in run.output(1)
    assert_same_run(run_dir, alone)
    assert not (run_dir / "lease").exists()


@pytest.mark.faults
def test_two_hosts_begin_with_another_run_as_one_does(alone, rows, start, tmp_path):
    begins = f"train.start_from={alone}@4"
    expected, run_dir = train_alone(tmp_path / "one", *rows, begins), tmp_path / "two"
    with start(run_dir, begins, "STEPS=6") as run:
        assert statuses(run.wait()) == [0, 0]
    assert_same_run(run_dir, expected)
    files = [folder / "config.gin" for folder in (run_dir, expected)]
    origins = [written_origin(file.read_text()) for file in files]
    assert origins[0] == origins[1] and origins[0].step == 4


@pytest.mark.faults
def test_four_hosts_train_as_one_does(alone, start, tmp_path):
    run_dir = tmp_path / "four"
    with start(run_dir, "STEPS=6", processes=4) as run:
        assert statuses(run.wait()) == [0] * 4
    assert_same_run(run_dir, alone)


@pytest.mark.faults
@pytest.mark.parametrize("axis", ["tensor", "sequence"])
def test_hosts_of_one_model_parallel_group_load_the_same_rows(
    axis, alone, start, tmp_path
):
    """With one device a host, the axis of two lies across hosts."""
    run_dir = tmp_path / axis
    bindings = ["STEPS=6", "MeshShape.data=1", f"MeshShape.{axis}=2"]
    with start(run_dir, *bindings, processes=2, devices=1) as run:
        assert statuses(run.wait()) == [0, 0]
    assert_same_run(run_dir, alone)


@pytest.mark.faults
def test_two_slices_train_as_one_device_mesh_does(alone, start, tmp_path):
    run_dir = tmp_path / "slices"
    with start(run_dir, "STEPS=6", "MeshShape.slices=2", "MeshShape.fsdp=2") as run:
        assert statuses(run.wait()) == [0, 0]
    assert_same_run(run_dir, alone)


@pytest.mark.faults
def test_streaming_goes_on_only_on_the_same_number_of_hosts(start, tmp_path):
    run_dir = tmp_path / "streaming"
    bindings = ["STEPS=6", "train.data=None"]
    stop = at_step(3, "import os, signal; os.kill(os.getpid(), signal.SIGTERM)")
    with start(run_dir, *bindings, before=on(1, stop)) as run:
        assert statuses(run.wait()) == [75, 75]
    with start(run_dir, *bindings, processes=1) as run:
        outcomes = run.wait()
    assert statuses(outcomes) == [2]
    assert "to change the number of hosts" in " ".join(outcomes[0].output.split())
    with start(run_dir, *bindings) as run:
        assert statuses(run.wait()) == [0, 0]
