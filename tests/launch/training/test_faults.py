"""What a run does where text, settings or the disk are not as they should be."""

import json
import shutil
import threading

import pytest

from sightline.launch.cli import main
from sightline.launch.runs import metrics
from sightline.launch.training import held_out
from sightline.launch.training.program import Program
from sightline.tasks.tokens import vocabulary as vocabulary_module

pytestmark = [pytest.mark.unchecked, pytest.mark.usefixtures("compiled_once")]

TINY = [
    "ModelConfig.layers=1",
    "ModelConfig.d_model=32",
    "ModelConfig.d_hidden=64",
    "ModelConfig.heads=2",
    "ModelConfig.kv_heads=2",
    "ModelConfig.head_dim=16",
    "decoder_rows.slots=64",
    "decoder_rows.predictions=64",
    "Mixture.name=small",
    "Mixture.vocabulary=bytes",
    "Mixture.rates={'text.causal': 1}",
    "train.eval_every=2",
    "train.eval_batches=2",
    "train.checkpoint_every=2",
    "train.data_workers=0",
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of few short documents, and a place of its own to prepare them."""
    monkeypatch.setenv("SIGHTLINE_DATA_DIR", str(tmp_path / "data"))
    papers = tmp_path / "papers [1]"
    papers.mkdir()
    texts = [{"text": f"Document {n} says little."} for n in range(30)]
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    (papers / "a.jsonl").write_text(lines)
    return papers


def run(folder, run_dir, *bindings):
    bound = [*TINY, f"text.folder={folder}", *bindings]
    words = ["--gin_file=any_mixture.gin", *(f"--gin.{text}" for text in bound)]
    return main(["train", f"--run_dir={run_dir}", *words])


def steps(run_dir):
    return sorted(int(p.name) for p in (run_dir / "checkpoints").iterdir())


def test_a_split_that_fills_no_batch_is_evaluated_and_nothing_is_lost(folder, tmp_path):
    run_dir = tmp_path / "r[1]"
    assert run(folder, run_dir, "STEPS=2") == 0
    assert steps(run_dir) == [2]
    record = metrics.read(run_dir / "metrics.jsonl")[-1]
    assert 0 < record["eval/text.causal/predictions"] < 64 * 8
    assert record["eval/causal/loss"] == record["eval/text.causal/loss"] > 0


@pytest.mark.parametrize(
    "binding", ["text.validation_percent=0", "train.eval_batches=0"]
)
def test_a_run_may_go_without_evaluation(
    binding, folder, tmp_path, monkeypatch, capsys
):
    def compiled(program):
        raise AssertionError("the evaluation step is compiled for nothing")

    monkeypatch.setattr(Program, "compile_eval_step", compiled)
    assert run(folder, tmp_path / "run", "STEPS=2", binding) == 0
    assert steps(tmp_path / "run") == [2]
    assert "No evaluation" in capsys.readouterr().out


def test_what_fails_in_an_evaluation_loses_no_step(folder, tmp_path, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no such luck")

    run_dir = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(held_out, "evaluate_tasks", broken)
        assert run(folder, run_dir, "STEPS=2") == 1
    assert steps(run_dir) == [2]
    # All steps are done; only the evaluation is made up for.
    assert run(folder, run_dir, "STEPS=2") == 0
    records = metrics.read(run_dir / "metrics.jsonl")
    assert [r["step"] for r in records if "eval/causal/loss" in r] == [2]
    assert run(folder, run_dir, "STEPS=2") == 0
    assert metrics.read(run_dir / "metrics.jsonl") == records


def test_a_vocabulary_may_move_but_what_is_in_it_must_stay(folder, tmp_path, capsys):
    """As a corpus: where it lies is no part of a run, what it holds is."""
    shipped = vocabulary_module._SHIPPED
    run_dir, before, now = (tmp_path / n for n in ("run", "a.model", "b.model"))
    shutil.copy(shipped / "policies.model", before)
    assert run(folder, run_dir, "STEPS=2", f"Mixture.vocabulary={before}") == 0
    before.rename(now)
    vocabulary_module.vocabulary.cache_clear()
    assert main(["evaluate", str(run_dir)]) == 2
    gone = capsys.readouterr().err
    assert f"{str(before)!r}, and no such file is there now" in gone
    assert f"as Mixture.vocabulary in {run_dir / 'config.gin'}." in gone
    assert run(folder, run_dir, "STEPS=4", f"Mixture.vocabulary={now}") == 0
    assert steps(run_dir)[-1] == 4
    assert str(now) in (run_dir / "config.gin").read_text()
    shutil.copy(shipped / "python_docs.model", now)
    vocabulary_module.vocabulary.cache_clear()
    assert run(folder, run_dir, "STEPS=6", f"Mixture.vocabulary={now}") == 2
    assert "+vocabulary sha256 = " in capsys.readouterr().err
    assert steps(run_dir)[-1] == 4


def test_documents_too_short_for_an_objective_are_an_error(folder, tmp_path, capsys):
    (folder / "a.jsonl").write_text('{"text": "a"}\n{"text": "b"}\n' * 20)
    rates = "Mixture.rates={'text.causal': 1, 'text.span_corruption': 1}"
    assert run(folder, tmp_path / "run", "STEPS=2", rates) == 2
    message = capsys.readouterr().err
    assert "'span_corruption' finds no text in text:train" in message
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("binding", "message"),
    [
        ("STEPS=0", "train.steps is 0; set it to a whole number from 1 to"),
        ("train.log_every=0", "train.log_every is 0"),
        ("train.keep=0", "train.keep is 0"),
        ("train.eval_batches=-1", "train.eval_batches is -1"),
        ("train.microbatches=0", "train.microbatches is 0"),
        ("train.seed=18446744073709551615", "train.seed is 18446744073709551615"),
        ("train.clip_norm=0.0", "train.clip_norm is 0.0"),
        ("train.most_skipped_in_a_row=3", "now called train.max_consecutive_skips"),
        ("train.schedule=@warmup_cosine()", "train.schedule is a schedule with a"),
        ("warmup_cosine.steps=9", "warmup_cosine.steps is not bound but passed by"),
        ("train.run_dir='r'", "train.run_dir is not bound but given as --run_dir"),
        ("train.normalisation='token_sum'", "acts only with train.normalisation='obj"),
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_is_written(
    binding, message, folder, tmp_path, capsys
):
    more = ["warmup_cosine.steps=9"] if "@" in binding else []
    if "token_sum" in binding:
        more = ["Mixture.loss_shares={'causal': 1}"]
    assert run(folder, tmp_path / "run", binding, *more) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("where", ["/proc/x", "file", "file/below"])
def test_a_run_dir_that_cannot_be_made_is_one_line(where, folder, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run(folder, tmp_path / where, "STEPS=2") == 2
    message = capsys.readouterr().err
    assert message.startswith("sightline: cannot train in") and where in message
    assert message.count("\n") == 1


def test_training_needs_no_main_thread(folder, tmp_path):
    status = []
    thread = threading.Thread(
        target=lambda: status.append(run(folder, tmp_path / "run", "STEPS=2"))
    )
    thread.start()
    thread.join()
    assert status == [0]
