"""Runs that begin with another run's parameters, in the real loop on tiny models.

Steps are compiled once for the whole file: sources are the bytes of a few documents.
"""

import json
import math
import re
import shutil
from pathlib import Path

import jax
import pytest

from sightline.launch.cli import main
from sightline.launch.configuration.config import load
from sightline.launch.runs import metrics
from sightline.launch.runs.fingerprint import fingerprints
from sightline.launch.runs.named_arrays import as_arrays
from sightline.launch.runs.run_identity import saved_origin, written_origin
from sightline.launch.runs.verified import read_manifest
from sightline.launch.training.mesh import MeshShape
from sightline.launch.training.origin import open_run
from sightline.launch.training.program import Program, program_of
from sightline.objectives.errors import UsageError

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
    "encoder_decoder_rows.slots=64",
    "encoder_decoder_rows.predictions=64",
    "encoder_decoder_rows.memory_slots=64",
    "encoder_decoder_rows.memory_predictions=64",
    "Mixture.name=small",
    "Mixture.vocabulary=bytes",
    "Mixture.rates={'text.causal': 1}",
    "STEPS=4",
    "train.log_every=3",
    "train.eval_batches=0",
    "train.checkpoint_every=2",
    "train.keep=9",
    "train.data_workers=0",
    "train.optimizer=@adamw",  # compiles sooner than muon
]
CLOCKED = ("tokens_per_second", "data_wait")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    papers = tmp_path_factory.mktemp("papers")
    texts = [json.dumps({"text": f"Document {n} says little."}) for n in range(200)]
    (papers / "a.jsonl").write_text("\n".join(texts))
    return papers


@pytest.fixture(scope="module")
def run(folder, compiled_once):
    def run(run_dir, *bindings, words=()):
        bound = [*SETTINGS, f"text.folder={folder}", *bindings]
        gin = [f"--gin.{text}" for text in bound]
        start = "train", f"--run_dir={run_dir}", "--gin_file=any_mixture.gin"
        return main([*start, *gin, *words])

    return run


@pytest.fixture(scope="module")
def source(run, tmp_path_factory):
    """A trained decoder, with checkpoints of steps 2 and 4."""
    path = tmp_path_factory.mktemp("runs") / "mine"
    assert run(path) == 0
    return path


OTHER = "Mixture.rates={'text.masked': 1}", "train.batch_rows=16", "train.seed=7"
"""What a run that starts from another one does otherwise."""


@pytest.fixture(scope="module")
def adapted(run, source):
    """A run of another mixture and batch that begins with the source's parameters."""
    path = source.parent / "adapted"
    assert run(path, *OTHER, f"train.start_from={source}") == 0
    return path


def arrays(run_dir, step, prefix=""):
    """Fingerprints in the manifest of a checkpoint, by name."""
    manifest = Path(run_dir) / "checkpoints" / str(step) / "manifest"
    (file,) = [f for f in manifest.rglob("*") if f.name == "metadata"]
    entries = json.loads(file.read_text())["arrays"]
    return {n: e["fingerprint"] for n, e in entries.items() if n.startswith(prefix)}


def outcome(run_dir):
    found = metrics.read(run_dir / "metrics.jsonl")
    records = [{k: v for k, v in r.items() if k not in CLOCKED} for r in found]
    return records, arrays(run_dir, 4)


# ------------------------------------------------------------- what it begins with


@pytest.fixture(scope="module")
def opened(folder, compiled_once):
    """`opened(start_from, *bindings, **sizes)`: the run to start from, on a mesh."""

    def open_(start_from, *bindings, **sizes):
        bound = [*SETTINGS, f"text.folder={folder}", *bindings]
        config = load(["any_mixture.gin"], bound)
        settings = config.arguments("train", run_dir="", config="")
        devices = jax.devices()[: math.prod(sizes.values())]
        program = program_of({**settings, "mesh": MeshShape(**sizes)}, devices=devices)
        return open_run(str(start_from), program, settings["mixture"])

    return open_


@pytest.mark.parametrize("mesh", [{"data": 1}, {"data": 2, "fsdp": 2, "tensor": 2}])
def test_its_parameters_on_any_mesh_and_all_else_fresh(mesh, opened, source):
    other = opened(source, **mesh)
    state, origin = other.begin()
    assert (origin.path, origin.step) == (str(source), 4)
    held = fingerprints(as_arrays(state))
    saved = arrays(source, 4)
    params = {name for name in saved if name.startswith("params.")}
    assert params and all(held[name] == saved[name] for name in params)
    fresh = fingerprints(as_arrays(other.program.initial_state()))
    assert held.keys() == fresh.keys()
    assert all(held[name] == fresh[name] for name in held.keys() - params)
    assert all(held[name] != fresh[name] for name in params if "norm" not in name)
    placement = jax.tree.map(lambda x: x.sharding, other.program.abstract_state)
    assert jax.tree.map(lambda x: x.sharding, state) == placement


def test_a_step_may_be_named_and_is_known_by_its_content(opened, source, tmp_path):
    newest, second = (opened(f"{source}{at}", data=1).begin() for at in ("", "@2"))
    assert second.origin.step == 2
    assert second.origin.parameters != newest.origin.parameters
    shutil.copytree(source, tmp_path / "r[1]@home")
    copied = opened(tmp_path / "r[1]@home", data=1).begin()
    assert copied.origin.parameters == newest.origin.parameters


# --------------------------------------------------------------- records and resume


def test_the_origin_stands_in_the_records_of_the_run(adapted, source, capsys):
    origin = written_origin((adapted / "config.gin").read_text())
    assert (origin.path, origin.step) == (str(source), 4)
    for step in (2, 4):
        _, data = read_manifest(adapted / "checkpoints" / str(step))
        assert saved_origin(data["run"]) == origin
    assert main(["status", str(adapted)]) == 0
    shown = capsys.readouterr().out.replace("\n", "")
    assert f"started from {source} at step 4" in shown
    assert written_origin((source / "config.gin").read_text()) is None


def test_killed_it_resumes_bit_for_bit_without_the_source(
    adapted, source, run, tmp_path
):
    """As it stood after step 2, and with the run that it began with deleted."""
    killed = tmp_path / "killed"
    shutil.copytree(adapted, killed)
    shutil.rmtree(killed / "checkpoints" / "4")
    (killed / "config.gin").unlink()
    away = source.rename(source.with_name("away"))
    try:
        assert run(killed, *OTHER, f"train.start_from={source}") == 0
    finally:
        away.rename(source)
    assert outcome(killed) == outcome(adapted)
    assert (killed / "config.gin").read_text() == (adapted / "config.gin").read_text()


def test_killed_before_its_first_checkpoint_it_begins_again(
    adapted, source, run, tmp_path
):
    killed = tmp_path / "killed"
    shutil.copytree(adapted, killed)
    shutil.rmtree(killed / "checkpoints")
    assert run(killed, *OTHER, f"train.start_from={source}") == 0
    assert outcome(killed) == outcome(adapted)


def test_another_start_is_refused_on_resume(adapted, source, run, capsys):
    before = outcome(adapted)
    assert run(adapted, *OTHER, f"train.start_from={source}@2") == 2
    message = capsys.readouterr().err
    assert f"+train.start_from = '{source}@2'" in message
    assert outcome(adapted) == before


def test_its_first_step_is_replayed_as_long_as_the_source_is_there(
    adapted, source, run, tmp_path, capsys
):
    bound = *OTHER, f"train.start_from={source}"
    assert run(adapted, *bound, words=["--replay=1"]) == 0
    assert "bit-equal" in " ".join(capsys.readouterr().out.split())
    other = tmp_path / "other"
    shutil.copytree(adapted, other)
    text = (other / "config.gin").read_text()
    (other / "config.gin").write_text(text.replace(f"{source}@4", f"{source}@2"))
    assert run(other, *bound, words=["--replay=1"]) == 2
    assert "the run began with" in capsys.readouterr().err


# --------------------------------------------------------------------- bad input


@pytest.fixture
def broken(source, tmp_path):
    """`broken(what)`: a copy of the source with something wrong."""

    def make(what):
        path = tmp_path / "broken"
        shutil.copytree(source, path)
        checkpoints = path / "checkpoints"
        if what == "no checkpoint":
            shutil.rmtree(checkpoints)
        elif what == "no vocabulary":
            text = (path / "config.gin").read_text()
            (path / "config.gin").write_text(text.replace("# vocabulary", "# vocab"))
        for step in {"newest": ["4"], "all": ["2", "4"]}.get(what, []):
            # Moments of the optimiser lie in files of their own, and are not read.
            for file in (checkpoints / step / "state").rglob("d/*"):
                file.write_bytes(file.read_bytes()[:100])
        return path

    return make


@pytest.mark.parametrize(
    ("what", "at", "bindings", "message"),
    [
        ("no checkpoint", "", (), "has no checkpoint yet"),
        ("whole", "@3", (), "has no checkpoint of step 3; it has those of 4, 2"),
        ("whole", "/nowhere", (), "holds no run: it has no config.gin"),
        ("no vocabulary", "", (), r"vocabulary: theirs 'bytes' \(sha256 not recorded"),
        ("all", "", (), "no checkpoint of .* is whole .*step 4: .*step 2: "),
        ("newest", "@4", (), "no checkpoint of .* is whole .*step 4: "),
        (
            "whole",
            "",
            ("Mixture.vocabulary=policies", "ModelConfig.heads=4"),
            r"vocabulary: theirs 'bytes' .*, ours 'policies' .*\n"
            r"  ModelConfig.heads: theirs 2, ours 4\n",
        ),
        ("whole", "", ("ModelConfig.rope_theta=5e5",), "theta: theirs 10000.0, ours"),
    ],
)
def test_what_does_not_fit_is_one_message_and_leaves_nothing(
    what, at, bindings, message, broken, run, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(Program, "compile_train_step", None)  # a call is an error
    path, run_dir = broken(what), tmp_path / "run"
    assert run(run_dir, f"train.start_from={path}{at}", *bindings) == 2
    assert re.search(message, capsys.readouterr().err)
    assert not run_dir.exists()


def test_a_damaged_newest_checkpoint_is_passed_over(broken, opened, caplog):
    path = broken("newest")
    state, origin = opened(path, data=1).begin()
    assert origin.step == 2
    assert "checkpoint 4 of" in caplog.text
    held, saved = fingerprints(as_arrays(state)), arrays(path, 2, "params.")
    assert {name: held[name] for name in saved} == saved


def test_an_address_is_refused(opened):
    with pytest.raises(UsageError, match="an address"):
        opened("gs://bucket/run", data=1)


# ------------------------------------------------------------ both towers from one


TWO_STREAMS = (
    "Mixture.rates={'text.span_corruption': 1}",
    *(
        "train.rows=@encoder_decoder_rows()",
        "STEPS=2",
    ),
)


@pytest.fixture(scope="module")
def two_towers(run, source):
    path = source.parent / "two_towers"
    assert run(path, *TWO_STREAMS, f"train.start_from={source}") == 0
    return path


def test_a_decoder_becomes_an_encoder_decoder(two_towers, source, opened):
    assert written_origin((two_towers / "config.gin").read_text()).step == 4
    scale = "scale.value"
    other = opened(source, *TWO_STREAMS, data=2, fsdp=2, tensor=2)
    held, saved = fingerprints(as_arrays(other.begin().state)), arrays(source, 4)
    for tower in ("encoder", "decoder"):
        for name in ("attention.key.value", "mlp_norm.scale.value", "mlp.down.value"):
            same = saved[f"params.layers.{name}"]
            assert held[f"params.{tower}_layers.{name}"] == same
        assert held[f"params.{tower}_norm.{scale}"] == saved[f"params.norm.{scale}"]
    table = "params.embedding.table.value"
    assert held[table] == saved[table]


def test_an_encoder_decoder_is_no_decoder(two_towers, opened):
    with pytest.raises(UsageError, match="is an encoder–decoder, and"):
        opened(two_towers, data=1)


def test_towers_of_relative_bias_are_refused(opened, source, broken):
    path = broken("whole")
    text = (path / "config.gin").read_text()
    (path / "config.gin").write_text(text.replace("'rope'", "'relative_bias'"))
    with pytest.raises(UsageError, match="relative_bias"):
        opened(path, *TWO_STREAMS, "ModelConfig.position=relative_bias", data=1)
