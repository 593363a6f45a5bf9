"""What can go wrong once steps were taken: none of them is ever lost."""

import json
import os
import signal
import threading

import numpy as np
import pytest

from sightline.launch.cli import main
from sightline.launch.configuration import config
from sightline.launch.inference.open import trained
from sightline.launch.runs import metrics
from sightline.launch.training import train as train_module
from sightline.launch.training.data import Data
from sightline.launch.training.program import Program

GIN = """
include 'runs/any_mixture.gin'
train.steps = 6
train.log_every = 2
train.eval_every = 4
train.eval_batches = 2
train.checkpoint_every = 5
train.schedule = @constant
constant.value = 1e-2
ModelConfig.layers = 1
ModelConfig.d_model = 16
ModelConfig.heads = 2
ModelConfig.kv_heads = 2
ModelConfig.head_dim = 8
ModelConfig.d_hidden = 16
ModelConfig.unroll = 1
decoder_rows.slots = 64
decoder_rows.predictions = 64
Mixture.name = 'short'
Mixture.rates = {'text.causal': 1.0}
text.validation_percent = 20
"""
SPECIAL = "r[1] {a,b} #%41 *? läuft"
"""A folder whose name is a pattern, for whoever takes it for one."""


@pytest.fixture(scope="module")
def gin_file(tmp_path_factory):
    """60 short documents, whose validation split does not fill one batch of 8 rows."""
    folder = tmp_path_factory.mktemp("short") / SPECIAL
    folder.mkdir()
    rng = np.random.default_rng(0)
    words = "the model reads a short text and says which word is next in it".split()
    lines = [json.dumps({"text": " ".join(rng.choice(words, 20))}) for _ in range(60)]
    (folder / "documents.jsonl").write_text("\n".join(lines) + "\n")
    path = folder / "short.gin"
    path.write_text(f"{GIN}text.folder = {str(folder)!r}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIGHTLINE_DATA_DIR", str(folder / "data"))
        yield path


@pytest.fixture(autouse=True, scope="module")
def compiled_once():
    """All runs here compute the same: they share the compiled steps."""
    steps = {}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("compile_train_step", "compile_eval_step"):
            compile_step = getattr(Program, name)

            def shared(self, name=name, compile_step=compile_step):
                if name not in steps:
                    steps[name] = compile_step(self)
                return steps[name]

            patch.setattr(Program, name, shared)
        yield


@pytest.fixture
def run(gin_file, tmp_path):
    """`run(*bindings)`: the exit status of `sightline train` in `tmp_path/run`."""

    def start(*bindings, run_dir=tmp_path / "run"):
        bound = [f"--gin.{text}" for text in bindings]
        return main(["train", f"--gin_file={gin_file}", f"--run_dir={run_dir}", *bound])

    return start


def records(run_dir):
    found = metrics.read(run_dir / "metrics.jsonl")
    return [{k: v for k, v in r.items() if k != "tokens_per_second"} for r in found]


def fingerprints(run_dir, step=6):
    path = run_dir / "checkpoints" / str(step) / "manifest" / "metadata"
    return json.loads(path.read_text())["arrays"]


def steps_saved(run_dir):
    return sorted(int(path.name) for path in (run_dir / "checkpoints").iterdir())


@pytest.fixture(scope="module")
def whole(gin_file, tmp_path_factory):
    """A run that nothing interrupted, in a folder whose name is a pattern."""
    run_dir = tmp_path_factory.mktemp("runs") / SPECIAL / SPECIAL
    assert main(["train", f"--gin_file={gin_file}", f"--run_dir={run_dir}"]) == 0
    return run_dir


def test_a_split_that_fills_no_batch_is_evaluated(whole):
    """(And the run is opened, whatever its folder is called.)"""
    last = records(whole)[-1]
    assert last["step"] == 6
    assert last["eval/text.causal/loss"] == last["eval/causal/loss"] > 0
    assert 0 < last["eval/text.causal/predictions"] < 8 * 64
    assert steps_saved(whole) == [5, 6]
    assert trained(whole).step == 6


def test_a_finished_run_says_so(whole, run, capsys):
    before = records(whole)
    assert run(run_dir=whole) == 0
    assert "Training is complete: step 6 of 6 is done." in capsys.readouterr().out
    assert records(whole) == before


@pytest.mark.parametrize(
    ("binding", "message"),
    [
        ("text.validation_percent=0", "Not evaluated: text.causal"),
        ("train.eval_batches=0", "No evaluation: train.eval_batches is 0."),
    ],
)
def test_a_run_without_evaluation(binding, message, run, tmp_path, capsys):
    assert run(binding) == 0
    assert message in capsys.readouterr().out
    assert steps_saved(tmp_path / "run") == [5, 6]
    assert not any("eval" in key for r in records(tmp_path / "run") for key in r)


def fail_at(monkeypatch, target, name, number):
    """The function fails when it is called for the n-th time."""
    calls, function = iter(range(1, 1000)), getattr(target, name)

    def failing(*arguments, **settings):
        if next(calls) == number:
            raise OSError(28, "No space left on device")
        return function(*arguments, **settings)

    monkeypatch.setattr(target, name, failing)


FAULTS = {
    "evaluation": (train_module, "evaluate", 1, 4),
    "last evaluation": (train_module, "evaluate", 2, 6),
    "record": (train_module.MetricsWriter, "write", 1, 2),
    "record of an evaluated step": (train_module.MetricsWriter, "write", 2, 4),
    "placing": (Program, "place", 4, 3),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_failure_loses_a_step(fault, run, whole, tmp_path, monkeypatch, capsys):
    target, name, number, step = FAULTS[fault]
    run_dir = tmp_path / "run"
    with monkeypatch.context() as patch:
        fail_at(patch, target, name, number)
        assert run() == 1
    assert "No space left" in capsys.readouterr().err
    assert steps_saved(run_dir)[-1] == step
    assert run() == 0
    assert records(run_dir) == records(whole)
    assert fingerprints(run_dir) == fingerprints(whole)


def test_data_that_fails_in_mid_run_loses_no_step(
    run, whole, tmp_path, monkeypatch, capsys
):
    def failing(source, *, seed, skip, training=Data.training):
        for number, batch in enumerate(training(source, seed=seed, skip=skip)):
            if number == 3:
                raise RuntimeError("a document that cannot be read")
            yield batch

    with monkeypatch.context() as patch:
        patch.setattr(train_module, "MEASURED", 1)
        patch.setattr(Data, "training", failing)
        assert run() == 1
    assert steps_saved(tmp_path / "run") == [3]
    assert run() == 0
    assert records(tmp_path / "run") == records(whole)


def test_faulty_validation_text_is_refused_before_the_first_step(
    run, tmp_path, monkeypatch
):
    def failing(source, *, most):
        raise RuntimeError("a document that cannot be read")

    monkeypatch.setattr(Data, "held_out", failing)
    assert run() == 1
    assert not (tmp_path / "run" / "metrics.jsonl").exists()
    assert steps_saved(tmp_path / "run") == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_asked_to_stop_says_how_to_resume(
    number, run, whole, tmp_path, monkeypatch, capsys
):
    before = signal.getsignal(number)
    place = Program.place

    def asked(program, batch):
        os.kill(os.getpid(), number)
        return place(program, batch)

    with monkeypatch.context() as patch:
        patch.setattr(Program, "place", asked)
        assert run() == 75
    expected = "Stopped after step 1; rerun the same command to resume."
    assert expected in capsys.readouterr().out
    assert signal.getsignal(number) is before
    assert steps_saved(tmp_path / "run") == [1]
    assert run() == 0
    assert records(tmp_path / "run") == records(whole)
    assert fingerprints(tmp_path / "run") == fingerprints(whole)


def test_train_needs_no_main_thread(run):
    statuses = []
    thread = threading.Thread(target=lambda: statuses.append(run()))
    thread.start()
    thread.join()
    assert statuses == [0]


@pytest.mark.parametrize(
    "binding",
    [
        "train.steps=0",
        "train.log_every=0",
        "train.eval_every=-1",
        "train.eval_batches=-1",
        "train.checkpoint_every=0",
        "train.keep=0",
        "train.microbatches=0",
        "train.batch_rows=0",
        "train.max_consecutive_skips=0",
        "train.seed=-1",
        f"train.seed={2**64 - 1}",
        "train.clip_norm=-1.0",
        f"train.steps={2**40}",
        "constant.value=-1.0",
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_is_written(
    binding, run, tmp_path, capsys
):
    assert run(binding) == 2
    name, _, value = binding.partition("=")
    message = capsys.readouterr().err
    assert f"{name.removeprefix('constant.')} is {value}; set it" in message
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("run_dir", ["/proc/x", "FILE", "FILE/below"])
def test_a_folder_that_cannot_be_made_is_one_message(run_dir, run, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    run_dir = run_dir.replace("FILE", str(tmp_path / "file"))
    assert run(run_dir=run_dir) == 2
    assert f"cannot use {run_dir!r} as a run's folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("binding", "message"),
    [
        ("train.most_skipped_in_a_row=3", "write `train.max_consecutive_skips = ...`"),
        ("train.schedule=@constant()", "write `train.schedule = @constant` without"),
        ("warmup_cosine.steps=9", "Delete this line, and write `train.schedule = @war"),
    ],
)
def test_older_bindings_say_what_to_write(binding, message, run, capsys):
    assert run(binding) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("steps", [100, 1300])
def test_a_schedule_has_the_steps_of_its_run(steps):
    """`--gin.train.steps=100` is the one dial; 1,300 is the quickstart's own."""
    settings = config.load(["quickstart.gin"], [f"train.steps={steps}"]).arguments(
        "train", run_dir="", config=""
    )
    schedule = settings["schedule"](steps=settings["steps"])
    step = np.arange(steps + 1)
    cosine = np.cos(np.pi * np.clip((step - 50) / (steps - 50), 0, 1))
    expected = 2e-3 * np.where(step < 50, (step + 1) / 50, (1 + cosine) / 2)
    found = [float(schedule(s)) for s in step]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9)
