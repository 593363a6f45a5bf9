"""Whole runs on real text: killed at any step, a run ends where it would have ended."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sightline.launch.cli import main
from sightline.launch.commands import audit
from sightline.launch.runs import metrics

pytestmark = pytest.mark.unchecked

BINDINGS = [
    "train.steps=6",
    "train.log_every=4",
    "train.eval_every=3",
    "train.eval_batches=1",
    "train.checkpoint_every=2",
    "ModelConfig.layers=1",
    "ModelConfig.d_model=32",
    "ModelConfig.d_hidden=64",
    "ModelConfig.heads=2",
    "ModelConfig.kv_heads=2",
    "ModelConfig.head_dim=16",
]
CLOCKED = ("tokens_per_second", "data_wait")
HERE = "train.data_workers=0"
"""Batches do not depend on it; a run of its own process has data made in another."""


def arguments(run_dir: Path, *bindings: str) -> list[str]:
    bound = [f"--gin.{text}" for text in (*BINDINGS, *bindings)]
    return ["train", "--gin_file=quickstart.gin", f"--run_dir={run_dir}", *bound]


def records(run_dir: Path) -> list[dict]:
    """The run's metrics, without those that depend on the clock."""
    found = metrics.read(run_dir / "metrics.jsonl")
    return [{k: v for k, v in r.items() if k not in CLOCKED} for r in found]


def fingerprints(run_dir: Path, step: int) -> dict:
    """What the checkpoint of a step holds, by the fingerprints in its manifest."""
    path = run_dir / "checkpoints" / str(step) / "manifest"
    (file,) = [f for f in path.rglob("*") if f.is_file() and "metadata" in f.name]
    return json.loads(file.read_text())["arrays"]


@pytest.fixture(scope="module")
def uninterrupted(compiled_once, tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("runs") / "whole"
    assert main(arguments(run_dir, HERE)) == 0
    return run_dir


def test_a_run_records_what_it_promises(uninterrupted):
    found = records(uninterrupted)
    assert found[-1]["step"] == 6
    # An interval of two steps may hold no Example of a rare objective.
    last = {key: value for record in found for key, value in record.items() if value}
    objectives = ("causal", "masked", "span_corruption", "permuted", "sentence_pair")
    for name in objectives:
        for key in ("train/{}/loss", "eval/{}/loss", "eval/{}/baseline"):
            assert last[key.format(name)] > 0
        kinds = ("examples", "processed", "supervised", "loss")
        assert all(0 < last[f"shares/{name}/{kind}"] < 1 for kind in kinds)
    assert (uninterrupted / "config.gin").exists()
    assert list((uninterrupted / "tensorboard").iterdir())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_stopped_run_resumes_bit_for_bit(how, uninterrupted, tmp_path):
    """Stopped once the checkpoint of step 2 is there, at whatever step it then is.

    SIGTERM is a request: the run saves the step it is at and leaves with status 75.
    Both go on in the middle of an interval of metrics.
    """
    run_dir = tmp_path / "killed"
    command = [sys.executable, "-m", "sightline.launch.cli", *arguments(run_dir)]
    environment = {**os.environ, "JAX_NUM_CPU_DEVICES": "8"}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 240
        while not (run_dir / "checkpoints" / "2").exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        process.send_signal(how)
        assert process.wait(timeout=60) == (75 if how == signal.SIGTERM else -how)
    assert main(arguments(run_dir, HERE)) == 0
    assert records(run_dir) == records(uninterrupted)
    assert fingerprints(run_dir, 6) == fingerprints(uninterrupted, 6)


def test_a_run_of_another_config_is_refused(uninterrupted, capsys):
    before = records(uninterrupted)
    assert main(arguments(uninterrupted, "masked.rate=0.3")) == 2
    message = capsys.readouterr().err
    assert "holds a run of another config" in message
    assert "+masked.rate = 0.3" in message
    assert records(uninterrupted) == before


@pytest.mark.parametrize(
    ("binding", "message"),
    [
        ("masked.rate=1.5", "masked.rate is 1.5; it is a share"),
        ("sentence_pair.max_tokens=2", "max_tokens is 2; set it to a whole"),
        ("train.batch_rows=7", "train.batch_rows=7 does not divide"),
        (
            "Mixture.rates={'python_docs.casual':1.0}",
            "did you mean 'python_docs.causal",
        ),
    ],
)
def test_bad_settings_are_one_message_and_leave_nothing(
    binding, message, tmp_path, capsys
):
    run_dir = tmp_path / "run"
    assert main(arguments(run_dir, binding)) == 2
    assert message in capsys.readouterr().err
    assert not (run_dir / "config.gin").exists()


def test_two_processes_do_not_train_in_one_directory(tmp_path):
    """The lock is held by a process, not by a file that a killed one leaves behind."""
    code = (
        "import sys\n"
        "from sightline.launch.runs.directory import RunDirectory\n"
        "RunDirectory(sys.argv[1])\n"
        "print('mine', flush=True)\n"
        "sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as first:
        assert first.stdout.readline() == "mine\n"
        second = subprocess.run(command, capture_output=True, text=True, input="")
        assert "another process is training in" in second.stderr
        first.kill()
    third = subprocess.run(command, capture_output=True, text=True, input="")
    assert third.stdout == "mine\n"


@pytest.mark.optimised
def test_a_run_is_audited_and_left_as_it_is(uninterrupted, capsys, monkeypatch):
    debris = uninterrupted / "checkpoints" / "9.orbax-checkpoint-tmp-1"
    debris.mkdir()  # as of a save that is under way
    before = sorted(uninterrupted.rglob("*"))
    monkeypatch.setattr(audit, "random_token_losses", lambda *_, **__: iter(()))
    status = main(["audit", f"--run_dir={uninterrupted}", "--format=json"])
    found = json.loads(capsys.readouterr().out)
    assert status == 0
    assert {verdict["architecture"] for verdict in found} == {"decoder"}
    assert len(found) == 5
    assert sorted(uninterrupted.rglob("*")) == before
    debris.rmdir()


def test_a_folder_without_a_checkpoint_cannot_be_audited(tmp_path, capsys):
    assert main(["audit", f"--run_dir={tmp_path}"]) == 2
    assert "holds no run: it has no config.gin" in capsys.readouterr().err
