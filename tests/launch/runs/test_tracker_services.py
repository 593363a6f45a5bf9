"""Weights & Biases and MLflow themselves, without a network: a run that resumes."""

import pytest
from rich.table import Table

from sightline.launch.runs.metrics import MetricsWriter

TABLE = Table("task", "loss")
TABLE.add_row("a.causal", "1.5")


def png() -> bytes:
    import io

    from matplotlib.figure import Figure

    content = io.BytesIO()
    Figure(figsize=(1, 1)).savefig(content, format="png")
    return content.getvalue()


def run(tracker, run_dir, steps, *, resume_step=0):
    with MetricsWriter(run_dir, resume_step=resume_step, trackers=[tracker]) as writer:
        writer.write_config("train.steps = 8\nadamw.b1 = 0.9\n")
        if not resume_step:
            writer.write_table(0, "shares", TABLE)
        for step in steps:
            writer.write(step, {"train/x64/loss": 1 / step, "bad": float("nan")})
            if step % 4 == 0:
                writer.write_table(step, "held_out", TABLE)
                writer.write(step, {"eval/a.causal/loss": 2 / step})
        writer.write_picture(max(steps), "losses", png)


def wandb_records(data: bytes):
    """The records of a .wandb file: LevelDB's log, in blocks of 32 KiB."""
    at, parts = 7, b""  # after the header
    while at + 7 <= len(data):
        if 2**15 - at % 2**15 < 7:
            at += 2**15 - at % 2**15
        length, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        parts += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield parts
            parts = b""


@pytest.mark.filterwarnings("ignore")
def test_mlflow_keeps_one_run_with_every_step_once(tmp_path, monkeypatch, caplog):
    pytest.importorskip("mlflow")
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file:{tmp_path / 'store'}")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    run("mlflow", tmp_path / "run", range(1, 7))
    run("mlflow", tmp_path / "run", range(4, 9), resume_step=3)
    assert not [r for r in caplog.records if "tracker" in r.getMessage()]

    client = MlflowClient()
    experiment = client.get_experiment_by_name("mine")
    (found,) = client.search_runs([experiment.experiment_id])
    assert found.info.run_name == "run" and found.info.status == "FINISHED"
    assert found.data.params["adamw.b1"] == "0.9"
    for name, steps in {
        "train/x64/loss": list(range(1, 9)),
        "eval/a.causal/loss": [4, 8],
    }.items():
        history = client.get_metric_history(found.info.run_id, name)
        assert [metric.step for metric in history] == steps
    files = {file.path for file in client.list_artifacts(found.info.run_id)}
    assert files == {"config.gin", "pictures", "tables"}
    (tmp_path / "got").mkdir()
    path = "tables/held_out/step-00000008.csv"
    got = client.download_artifacts(found.info.run_id, path, str(tmp_path / "got"))
    assert open(got).read() == "task,loss\na.causal,1.5\n"


@pytest.mark.filterwarnings("ignore")
def test_wandb_keeps_one_run_with_every_step_once(tmp_path, monkeypatch, caplog):
    pytest.importorskip("wandb")
    from wandb.proto.wandb_internal_pb2 import Record

    for name in ("WANDB_API_KEY", "WANDB_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_MODE", "offline")
    run("wandb", tmp_path / "run", range(1, 7))
    run("wandb", tmp_path / "run", range(4, 9), resume_step=3)
    assert not [r for r in caplog.records if "tracker" in r.getMessage()]

    files = sorted((tmp_path / "run" / "wandb").glob("offline-run-*/*.wandb"))
    assert len({file.name for file in files}) == 1  # one id
    logged: dict[str, list[int]] = {}
    for file in files:
        for data in wandb_records(file.read_bytes()):
            record = Record.FromString(data)
            items = {
                i.key or i.nested_key[0]: i.value_json for i in record.history.item
            }
            for name in items:
                logged.setdefault(name, []).append(int(items["step"]))
    assert logged["train/x64/loss"] == list(range(1, 9))
    assert logged["eval/a.causal/loss"] == [4, 8]
    assert logged["held_out"] == [4, 8] and logged["shares"] == [0]
