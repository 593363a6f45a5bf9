"""Faults injected into whole runs of the real loop, which share compiled programs.

Batches are made once and given over and over, by position, so that a run takes a
second. What a run must do is the same each time: end with a clear word and a status,
lose nothing, and go on as if it had not been stopped.
"""

import errno
import gc
import itertools
import json
import os
import resource
import shutil
import signal
import sys
import threading
import time

import jax
import numpy as np
import pytest

from sightline.launch.cli import main
from sightline.launch.runs import metrics
from sightline.launch.runs.goodput import summary
from sightline.launch.training import rollback, sources, train as train_module
from sightline.launch.training.program import Program
from sightline.objectives import registry
from sightline.objectives.text import Text
from sightline.tasks.rows.layout import layout
from sightline.tasks.rows.packing import collate, first_fit
from sightline.tasks.tokens.vocabulary import vocabulary

pytestmark = pytest.mark.unchecked

SETTINGS = [
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
    "STEPS=8",
    "train.log_every=3",
    "train.eval_every=4",
    "train.eval_batches=1",
    "train.checkpoint_every=2",
    "train.optimizer=@adamw",  # compiles sooner than muon
]
CLOCKED = ("tokens_per_second", "data_wait")


class Faults:
    """What goes wrong, and when: by number of steps done, and by batch."""

    def __init__(self):
        self.before_step = {}
        self.before_batch = {}
        self.held_out = lambda: None


def _no_other(rng):
    raise AssertionError("causal asks for no other document")


class Looped:
    """A source of a few batches, over and over."""

    made: tuple = ()
    faults = Faults()

    def __init__(self, mixture, rows, batch_rows, rows_here, workers):
        assert rows_here == (0, batch_rows)
        self.identities = mixture.identities
        if not Looped.made:
            ids = vocabulary(mixture.vocabulary).special_ids
            rng = np.random.default_rng(0)
            examples = []
            for _ in range(200):
                tokens = np.append(rng.choice(ids.text, 40), 1).astype(np.int32)
                text = Text(tokens, 0, len(tokens), _no_other)
                examples.append(registry.get("causal")(text, rng, ids))
            packed = first_fit(map(layout(rows, bos=ids.bos), examples), rows)
            grouped = (list(itertools.islice(packed, batch_rows)) for _ in range(6))
            *batches, held_out = [collate(group, rows) for group in grouped]
            Looped.made = batches, {"text.causal": [held_out]}

    def training(self, *, seed, position):
        for number in itertools.count(position["batches"] if position else 0):
            self.faults.before_batch.get(number, lambda: None)()
            yield self.made[0][number % 5], {"batches": number}

    def own(self, positions):
        return positions[0]

    def held_out(self, *, most):
        if most:
            self.faults.held_out()
        return self.made[1]

    def close(self):
        pass


@pytest.fixture
def faults(compiled_once, programs, tmp_path, monkeypatch):
    found = Faults()
    monkeypatch.setattr(Looped, "faults", found)
    monkeypatch.setattr(sources, "Streaming", Looped)
    monkeypatch.setattr(train_module, "BATCHES_AHEAD", 1)
    monkeypatch.setenv("SIGHTLINE_DATA_DIR", str(tmp_path / "data"))
    compile_step = programs["compile_train_step"]

    def compile_faulty(program):
        step = compile_step(program)

        def faulty(state, batch, shares):
            fault = found.before_step.get(int(state.step), lambda: None)
            return step(state, batch, shares * np.float32(fault() or 1))

        return faulty

    monkeypatch.setattr(Program, "compile_train_step", compile_faulty)
    return found


@pytest.fixture
def folder(tmp_path):
    papers = tmp_path / "papers"
    papers.mkdir()
    texts = [json.dumps({"text": f"Document {n} says little."}) for n in range(30)]
    (papers / "a.jsonl").write_text("\n".join(texts))
    return papers


@pytest.fixture
def run(faults, folder):
    def run(run_dir, *words):
        bound = (f"--gin.{text}" for text in (*SETTINGS, f"text.folder={folder}"))
        start = "train", f"--run_dir={run_dir}", "--gin_file=any_mixture.gin"
        return main([*start, *bound, *words])

    return run


def steps(run_dir):
    return sorted(int(p.name) for p in (run_dir / "checkpoints").iterdir())


def wait_for_checkpoint(run_dir, step):
    while not (run_dir / "checkpoints" / str(step)).exists():
        time.sleep(0.01)


def outcome(run_dir):
    """Metrics without those of the clock, and the fingerprints of the last state."""
    found = metrics.read(run_dir / "metrics.jsonl")
    records = [{k: v for k, v in r.items() if k not in CLOCKED} for r in found]
    manifest = run_dir / "checkpoints" / str(steps(run_dir)[-1]) / "manifest"
    (file,) = [f for f in manifest.rglob("*") if f.name == "metadata"]
    return records, json.loads(file.read_text())["arrays"]


_WHOLE = []


@pytest.fixture
def whole(run, faults, tmp_path):
    """The outcome of a run that nothing happened to."""
    if not _WHOLE:
        assert run(tmp_path / "whole") == 0
        _WHOLE.append(outcome(tmp_path / "whole"))
    return _WHOLE[0]


def fail(error):
    raise error


# ------------------------------------------------------- errors save what is at hand


def step_fails(faults, monkeypatch):
    faults.before_step[5] = lambda: fail(RuntimeError("no such luck"))
    return 1, 5


def data_fails(faults, monkeypatch):
    faults.before_batch[5] = lambda: fail(RuntimeError("no such luck"))
    return 1, 5


def metrics_fail(faults, monkeypatch):
    """The disk is full for the record of step 3, and for it alone."""

    def append(path, text):
        if json.loads(text)["step"] != 3:
            return whole(path, text)
        monkeypatch.setattr(metrics, "append_whole", whole)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    whole = metrics.append_whole
    monkeypatch.setattr(metrics, "append_whole", append)
    return 2, 3


@pytest.mark.parametrize("break_it", [step_fails, data_fails, metrics_fail])
def test_an_error_saves_the_state_at_hand(
    break_it, run, faults, whole, tmp_path, monkeypatch, capfd
):
    run_dir = tmp_path / "run"
    with monkeypatch.context() as patch:
        status, step = break_it(faults, patch)
        assert run(run_dir) == status
    assert steps(run_dir)[-1] == step
    said = capfd.readouterr()
    assert f"step {step} was the last" in said.out
    assert "no such luck" in said.err or "No space left on device" in said.err
    faults.before_step.clear(), faults.before_batch.clear()
    assert run(run_dir) == 0
    assert outcome(run_dir) == whole


@pytest.fixture
def handled(number):
    """The handler of a signal that is not ignored, as it is in a shell's background."""
    handler = signal.default_int_handler
    before = signal.signal(number, handler)
    yield handler
    signal.signal(number, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_saves_and_the_run_resumes_bit_for_bit(
    number, handled, run, faults, whole, tmp_path, capsys
):
    run_dir = tmp_path / "run"
    faults.before_step[4] = lambda: signal.raise_signal(number)
    assert run(run_dir) == os.EX_TEMPFAIL
    assert signal.getsignal(number) == handled
    assert steps(run_dir)[-1] == 5
    assert f"Stopped by {number.name} after step 5" in capsys.readouterr().out
    faults.before_step.clear()
    assert run(run_dir) == 0
    assert outcome(run_dir) == whole
    assert summary(run_dir).starts == 2


@pytest.mark.parametrize("where", ["before_batch", "held_out"])
def test_a_read_that_never_returns_does_not_make_a_run_deaf(
    where, run, faults, whole, tmp_path, capsys
):
    """`whole`: everything is compiled, so the run soon comes to its wait."""
    released = threading.Event()

    def hang():
        threading.Timer(3, os.kill, (os.getpid(), signal.SIGTERM)).start()
        released.wait()

    if where == "before_batch":
        faults.before_batch[5] = hang
        last = 5
    else:
        # Batches are read ahead while the step compiles; this is the second read.
        calls = itertools.count()
        faults.held_out = lambda: next(calls) and released.wait()
        faults.before_step[3] = threading.Timer(
            3, os.kill, (os.getpid(), signal.SIGTERM)
        ).start
        last = 4
    began = time.monotonic()
    status = run(tmp_path / "run", "--gin.train.report_seconds=0.5")
    released.set()
    assert status == os.EX_TEMPFAIL
    assert time.monotonic() - began < 20
    assert steps(tmp_path / "run")[-1] == last
    assert "waiting for data; no step for" in capsys.readouterr().out


# ------------------------------------------------------------------ the directory


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_full_disk_is_an_error_at_once_and_loses_nothing(
    run, faults, tmp_path, capsys
):
    """From step 5 on no file may grow beyond a kilobyte: nothing can be saved."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    run_dir = tmp_path / "run"

    def fill():
        wait_for_checkpoint(run_dir, 4)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))

    faults.before_step[5] = fill
    try:
        began = time.monotonic()
        assert run(run_dir) == 2
        assert time.monotonic() - began < 20
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    said = capsys.readouterr()
    assert "could not be written to" in said.err and "File too large" in said.err
    assert "is not saved" in said.out
    gc.collect()  # what Orbax never looked at complains here, not in another test
    faults.before_step.clear()
    assert run(run_dir) == 0
    assert "after step 4" in capsys.readouterr().out


def test_a_directory_that_goes_is_an_error_and_not_made_again(
    run, faults, tmp_path, capsys
):
    run_dir = tmp_path / "run"

    def go():
        wait_for_checkpoint(run_dir, 4)  # Orbax would make its folder again
        run_dir.rename(tmp_path / "aside")

    faults.before_step[5] = go
    assert run(run_dir) == 2
    assert "the run's directory has gone" in capsys.readouterr().err
    assert not run_dir.exists()


# ----------------------------------------------------------------- not finite


def test_after_a_stop_for_nan_the_advice_can_be_followed(run, faults, tmp_path, capsys):
    run_dir = tmp_path / "run"
    faults.before_step |= {n: lambda: np.nan for n in range(3, 8)}
    words = "--gin.train.max_consecutive_skips=4", "--gin.train.keep=1"
    assert run(run_dir, *words) == 2
    said = capsys.readouterr()
    assert "--allow=" in said.err
    assert "the update of step 4 was skipped" in said.out
    assert steps(run_dir) == [2]  # good, and not rotated out by any of the streak

    faults.before_step.clear()
    change = "--gin.train.clip_norm=0.5"
    assert run(run_dir, *words, change) == 2
    message = capsys.readouterr().err
    assert "-train.clip_norm = 1.0\n+train.clip_norm = 0.5" in message
    assert "--allow=train.clip_norm" in message
    assert run(run_dir, *words, change, "--allow=train.clip_norm") == 0
    (line,) = (run_dir / "changes.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "step": 2,
        "name": "train.clip_norm",
        "before": "1.0",
        "after": "0.5",
    }
    assert run(run_dir, *words) == 2  # it is now a run with the other one


def test_a_skipped_update_withholds_its_checkpoint_only(run, faults, tmp_path):
    faults.before_step[3] = lambda: np.nan
    assert run(tmp_path / "run", "--gin.train.keep=9") == 0
    assert steps(tmp_path / "run") == [2, 6, 8]


# ------------------------------------------------------- what a run is, and its name


def test_a_run_that_has_done_more_steps_than_it_is_to_is_complete(
    run, tmp_path, capsys
):
    assert run(tmp_path / "run") == 0
    assert run(tmp_path / "run", "--gin.STEPS=5") == 0
    assert "has done 8 steps, and train.steps is 5" in capsys.readouterr().out


def test_what_is_allowed_by_name_lets_no_other_data_through(
    run, tmp_path, monkeypatch, capsys
):
    run_dir = tmp_path / "run"
    assert run(run_dir, "--gin.STEPS=4") == 0
    rows = Looped.made
    other = [rows[0][-1], *rows[0][:-1]]
    monkeypatch.setattr(Looped, "made", (other, rows[1]))
    for name, value, status in [("train.clip_norm", 0.5, 2), ("train.seed", 7, 0)]:
        assert run(run_dir, f"--gin.{name}={value}", f"--allow={name}") == status
    said = capsys.readouterr()
    assert "the data is not what this run has read so far" in said.err
    assert "the data is other than up to step 4, as allowed" in said.out


@pytest.mark.parametrize("lost", ["config.gin", "all but checkpoints"])
def test_a_checkpoint_says_itself_which_run_it_is_of(
    lost, run, tmp_path, capsys, whole
):
    run_dir, other = tmp_path / "run", tmp_path / "other"
    assert run(run_dir) == 0
    other.mkdir()
    if lost == "config.gin":
        shutil.copytree(run_dir, other, dirs_exist_ok=True)
        (other / "config.gin").unlink()
    else:
        shutil.copytree(run_dir / "checkpoints", other / "checkpoints")
    assert run(other, "--gin.train.clip_norm=0.5") == 2
    assert "+train.clip_norm = 0.5" in capsys.readouterr().err
    assert not (other / "config.gin").exists()
    assert run(other) == 0


def test_a_renamed_checkpoint_is_found_and_passed_over(run, tmp_path, capsys):
    run_dir = tmp_path / "run"
    assert run(run_dir) == 0
    folder = run_dir / "checkpoints"
    (folder / "8").rename(folder / "7")
    assert run(run_dir) == 0
    said = capsys.readouterr().out
    assert "checkpoint 7 is unusable: it is the checkpoint of step 8, renamed" in said
    assert "after step 6" in said
    assert steps(run_dir)[-1] == 8


def test_other_text_of_the_same_size_and_time_is_found(run, folder, tmp_path, capsys):
    run_dir = tmp_path / "run"
    assert run(run_dir) == 0
    file = folder / "a.jsonl"
    state = file.stat()
    file.write_text(file.read_text().replace("little", "LITTLE"))
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert file.stat().st_mtime_ns == state.st_mtime_ns
    assert run(run_dir) == 2
    assert "+corpus text = " in capsys.readouterr().err


# ------------------------------------------------------------------------- output


def test_a_json_log_is_objects_and_some_checkpoints_are_kept_for_good(
    run, tmp_path, capsys
):
    words = "--log=json", "--gin.train.report_seconds=1e-9"
    kept = "--gin.train.keep=1", "--gin.train.keep_every=4"
    assert run(tmp_path / "run", *words, *kept) == 0
    assert steps(tmp_path / "run") == [4, 8]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all({"severity", "time", "host", "step", "message"} <= set(x) for x in lines)
    steps_told = [x["step"] for x in lines if "loss" in x]
    assert steps_told == list(range(1, 9))
    assert all(x["tokens_per_second"] > 0 for x in lines if "loss" in x)
    assert all(0 <= x["data_wait"] <= 1 for x in lines if "loss" in x)
    assert lines[-1]["reason"] == "done"
    assert any("held-out text.causal" in x["message"] for x in lines)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_run_goes_on_without_its_output(run, whole, tmp_path, monkeypatch, capsys):
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert run(tmp_path / "run") == 0
    said = capsys.readouterr().err
    reason = os.strerror(errno.ENOSPC)
    assert said.count(f"standard output is lost ({reason}); the run goes on") == 1
    assert outcome(tmp_path / "run") == whole


# --------------------------------------------------------------------- environment


@pytest.mark.parametrize(
    ("words", "environment", "message"),
    [
        (["--require=tpu"], {}, "--require=tpu, and JAX finds 8 cpu device(s)"),
        ([], {"JAX_NUM_CPU_DEVICES": "abc"}, "JAX_NUM_CPU_DEVICES is 'abc'"),
        (["--run_dir="], {}, "--run_dir is empty"),
        (["--join_seconds=-1"], {}, "--join_seconds is -1.0; set it to"),
        (["--join_seconds=1e12"], {}, "a finite number > 0 and ≤ 1e+08"),
        (["--gin.train.stall_seconds=1e12"], {}, "a finite number ≥ 1 and ≤ 1e+08"),
        (["--allow=foo"], {}, "--allow=foo: neither the saved run nor this one binds"),
        (["--gin.train.optimizer=@adamw()"], {}, "write @adamw, without parentheses"),
        (
            ["--replay=3", "--profile=1:2", "--copy_to=gs://a/b", "--allow=adamw"],
            {},
            "take out --profile and --copy_to and --allow",
        ),
        (["--run_dir=gs://bucket/run"], {}, "gs:// is none"),
        (["--gin.train.report_seconds=0.0"], {}, "train.report_seconds is 0.0"),
    ],
)
def test_the_environment_is_checked_before_anything_is_compiled(
    words, environment, message, run, programs, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(Program, "compile_train_step", fail)
    assert run(tmp_path / "run", *words) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "gs:").exists() and not (tmp_path / "checkpoints").exists()


def test_training_on_the_cpu_for_want_of_an_accelerator_is_said_loudly(
    run, tmp_path, monkeypatch, capsys
):
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    assert jax.default_backend() == "cpu"
    assert run(tmp_path / "run", "--gin.STEPS=2") == 0
    assert "NO ACCELERATOR FOUND" in capsys.readouterr().out


# ------------------------------------------------------------------ going back


def once(value):
    """Gives a value the first time that it is called, and then None."""
    values = iter([value])
    return lambda: next(values, None)


def spoil(faults):
    """The updates of steps 5 and 6 are skipped, the first time that they are taken."""
    faults.before_step |= {4: once(np.nan), 5: once(np.nan)}


SPOILT = ["--gin.train.max_consecutive_skips=2"]


@pytest.fixture
def passed_over(run, faults, tmp_path, monkeypatch):
    """The outcome of a run whose source leaves out batches 4 and 5."""

    def training(self, *, seed, position):
        for number in itertools.count(position["batches"] if position else 0):
            if number not in (4, 5):
                yield self.made[0][number % 5], {"batches": number}

    with monkeypatch.context() as patch:
        patch.setattr(Looped, "training", training)
        assert run(tmp_path / "passed_over", *SPOILT) == 0
    return outcome(tmp_path / "passed_over")


def test_a_run_goes_back_and_on_with_the_rows_after_those_that_failed(
    run, faults, passed_over, tmp_path, capsys
):
    spoil(faults)
    run_dir = tmp_path / "run"
    assert run(run_dir, *SPOILT, "--gin.train.rollbacks=1") == 0
    assert outcome(run_dir) == passed_over
    said = capsys.readouterr().out
    assert "step 6 was skipped (not finite)" in said
    assert "going back from step 6 to step 4; rows 32 to 47 are passed over" in said
    assert f"INFO host 0: Resuming {run_dir} after step 4" in said  # no longer step 6
    lines = (run_dir / "steps.jsonl").read_text().splitlines()
    trace = list(map(json.loads, lines))
    assert [line["step"] for line in trace] == list(range(1, 9))
    assert not any(line["skipped"] for line in trace)


def test_a_step_after_going_back_is_computed_again_from_the_rows_that_it_read(
    run, faults, tmp_path, capsys
):
    spoil(faults)
    run_dir = tmp_path / "run"
    words = [*SPOILT, "--gin.train.rollbacks=1", "--gin.train.keep=9"]
    assert run(run_dir, *words) == 0
    assert run(run_dir, *words, "--replay=5") == 0
    for step in (4, 6, 8):
        shutil.rmtree(run_dir / "checkpoints" / str(step))
    assert run(run_dir, *words, "--replay=6") == 0
    assert "recomputed from step 2" in capsys.readouterr().out


def test_killed_right_after_the_decision_a_run_goes_back_the_same_way(
    run, faults, passed_over, tmp_path, monkeypatch
):
    spoil(faults)
    run_dir = tmp_path / "run"
    words = [*SPOILT, "--gin.train.rollbacks=1"]

    def killed(*decided, **named):
        rollback.roll_back(*decided, **named)
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(train_module, "roll_back", killed)
        with pytest.raises(SystemExit):
            run(run_dir, *words)
    assert len(rollback.rollbacks(run_dir)) == 1
    assert run(run_dir, *words) == 0
    assert outcome(run_dir) == passed_over


def test_a_decision_ends_with_the_checkpoint_to_which_the_run_went_back(
    run, faults, tmp_path, monkeypatch
):
    """From step 2 on the run takes all rows, also where it is killed after step 4."""
    spoil(faults)
    run_dir = tmp_path / "run"
    words = [*SPOILT, "--gin.train.rollbacks=1", "--gin.train.keep=9"]
    assert run(run_dir, *words) == 0
    for step in (4, 6, 8):
        shutil.rmtree(run_dir / "checkpoints" / str(step))
    read = []
    batches = Looped.training

    def noted(self, *, seed, position):
        for batch, place in batches(self, seed=seed, position=position):
            read.append(place["batches"])
            yield batch, place

    monkeypatch.setattr(Looped, "training", noted)
    assert run(run_dir, *words, "--gin.STEPS=4") == 0
    assert rollback.rollbacks(run_dir) == []
    read.clear()
    assert run(run_dir, *words, "--gin.STEPS=5") == 0
    assert read[:2] == [3, 4]


def test_a_run_goes_back_no_more_often_than_it_may(run, faults, tmp_path, capsys):
    run_dir = tmp_path / "run"
    faults.before_step |= {4: lambda: np.nan, 5: lambda: np.nan}
    assert run(run_dir, *SPOILT, "--gin.train.rollbacks=1") != 0
    assert len(rollback.rollbacks(run_dir)) == 1
    assert "the last 2 updates were skipped" in capsys.readouterr().err
    assert steps(run_dir) == [2, 4]


def test_copies_that_differ_end_the_run_and_are_not_saved(
    run, faults, tmp_path, monkeypatch, capsys
):
    def differ(params, mesh, *, step):
        raise train_module.ReplicaError(f"step {step}: copies differ")

    monkeypatch.setattr(train_module, "check_replicas", differ)
    run_dir = tmp_path / "run"
    assert run(run_dir, "--gin.train.check_replicas_every=5") == 2
    # They are compared before each save as well.
    assert "step 2: copies differ" in capsys.readouterr().err
    assert steps(run_dir) == []


def test_a_step_of_a_run_is_computed_again(run, faults, whole, tmp_path, capsys):
    run_dir = tmp_path / "run"
    assert run(run_dir) == 0
    assert run(run_dir, "--replay=7") == 0
    assert "bit-equal" in " ".join(capsys.readouterr().out.split())
    assert run(run_dir, "--gin.train.clip_norm=0.5", "--replay=7") == 2
    assert "-train.clip_norm = 1.0\n+train.clip_norm = 0.5" in capsys.readouterr().err
    assert run(run_dir, "--gin.train.eval_every=3", "--replay=7") == 0
    assert "bit-equal" in " ".join(capsys.readouterr().out.split())
    path = run_dir / "steps.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    line = json.loads(lines[6])
    lines[6] = json.dumps({**line, "loss": line["loss"] + 2**-20}) + "\n"
    path.write_text("".join(lines))
    assert run(run_dir, "--replay=7") == 1
    assert "transient" in capsys.readouterr().out
