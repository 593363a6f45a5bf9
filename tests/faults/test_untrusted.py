"""Files from elsewhere, and paths: nothing is executed, and nothing leads out."""

import ast
import json
import pickle
import random
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest
from one_process import STEPS
from trial_runs import same

import sightline
from sightline.launch.cli import main
from sightline.launch.training.program import Program
from sightline.tasks.recorded import token_cache
from sightline.tasks.recorded.identity import digest_of

pytestmark = pytest.mark.unchecked

# ------------------------------------------------------------------------ gin files

PAYLOADS = [
    "import canary_module",
    "import canary_module as train",
    "from canary_module import anything",
    "from __gin__ import dynamic_registration\nimport canary_module",
    "from __gin__ import dynamic_registration\nimport os\ntrain.seed = @os.system()",
    "train.seed = @os.system()",
    "os.system.command = 'touch {canary}'",
    "train.seed = __import__('canary_module')",
    'train.seed = eval(\'open("{canary}", "w")\')',
    "train:\n  import canary_module",
    "include '{outside}/secret.gin'",
    "include '../secret.gin'",
    "include '/etc/passwd'",
    "x = @gin.singleton()\nx/gin.singleton.constructor = @canary_module.run",
    "train.seed = %gin.REQUIRED",
    "Mixture.vocabulary = '{outside}/secret.gin'",
]


@pytest.mark.fault(27)
@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_gin_file_is_data(fault, payload, train, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Program, "compile_train_step", None)
    canary, folder = tmp_path / "canary", tmp_path / "configs"
    folder.mkdir()
    (tmp_path / "secret.gin").write_text("password hunter2\n")
    code = f"open({str(canary)!r}, 'w')\ndef run(): pass\n"
    (folder / "canary_module.py").write_text(code)
    monkeypatch.syspath_prepend(str(folder))
    text = payload.format(canary=canary, outside=tmp_path)
    (folder / "evil.gin").write_text(f"include 'any_mixture.gin'\n{text}\n")
    without = text.partition(" ")[0]
    with fault() as noticed:
        status = train(
            tmp_path / "run", gin_file=str(folder / "evil.gin"), without=without
        )
        said = "".join(capsys.readouterr())
        noticed()
        assert status == 2 and "Traceback" not in said
        assert not canary.exists()
        assert "hunter2" not in said and "root:" not in said
        assert not (tmp_path / "run").exists()


# --------------------------------------------------------------------------- pickle


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return open, (str(self.canary), "w")


@pytest.mark.fault(28)
@pytest.mark.faults
def test_a_pickle_is_not_loaded_from_a_checkpoint_or_recorded_rows(
    fault, train, whole, recorded, tmp_path, capsys
):
    """In place of each file of both, one after another."""
    canary = tmp_path / "canary"
    bomb = pickle.dumps(Bomb(canary))
    run_dir, rows = tmp_path / "run", tmp_path / "rows"
    ignored = shutil.ignore_patterns("lease")
    shutil.copytree(whole, run_dir, ignore=ignored)
    newest = run_dir / "checkpoints" / str(STEPS)
    shutil.copytree(recorded, rows)
    for folder in (newest, rows):
        files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
        for path in random.Random(0).sample(files, 6):
            content = path.read_bytes()
            path.write_bytes(bomb)
            with fault():
                other = tmp_path / "other"
                shutil.copytree(run_dir, other, ignore=ignored)
                status = train(other, data=rows)
                assert status in (0, 2) and not canary.exists()
                assert "Traceback" not in capsys.readouterr().err
                shutil.rmtree(other)
            path.write_bytes(content)


@pytest.mark.fault(28)
@pytest.mark.faults
def test_a_pickle_is_not_loaded_from_the_compilation_cache(fault, trial, tmp_path):
    runs = trial()
    runs.finish("whole")
    canary = tmp_path / "canary"
    bomb = pickle.dumps(Bomb(canary))
    cache = Path(runs.environment["JAX_COMPILATION_CACHE_DIR"])
    entries = [p for p in cache.iterdir() if p.name.endswith("-cache")]
    assert entries
    for pack in (bytes, zlib.compress):
        for entry in entries:
            entry.write_bytes(pack(bomb))
        with fault():
            runs.finish("run")
            assert not canary.exists()
            assert same(runs.folder / "run", runs.folder / "whole", step=STEPS)
            shutil.rmtree(runs.folder / "run")
    for entry in entries:
        entry.unlink()


@pytest.mark.fault(28)
def test_an_array_with_objects_is_not_loaded(fault, tmp_path, caplog):
    """By the cache of tokens, which alone reads arrays from files."""
    canary = tmp_path / "canary"
    with fault() as noticed:
        np.save(tmp_path / "x.npy", np.array([Bomb(canary)], object), allow_pickle=True)
        # It is made again.
        assert not token_cache._is_whole(tmp_path / "x.npy", tmp_path / "x.npy")
        assert "allow_pickle=False" in caplog.text
        noticed()
        assert not canary.exists()


MAY_UNPICKLE = {
    "tasks/recorded/beam_runner.py",  # what Beam hands to its own workers
    "tasks/streaming/processes.py",  # what it has just pickled itself
}


@pytest.mark.fault(28)
def test_nothing_else_unpickles(fault):
    """Every call in the code that could unpickle something."""
    root = Path(sightline.__file__).parent
    folders = ("objectives", "models", "tasks", "diagnosis", "launch")
    with fault():
        for path in (p for folder in folders for p in (root / folder).rglob("*.py")):
            name = str(path.relative_to(root))
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    text = ast.unparse(node)
                    called = ast.unparse(node.func)
                    assert called != "np.load" or "allow_pickle=False" in text, name
                    unpickles = called in ("pickle.loads", "pickle.load")
                    assert not unpickles or name in MAY_UNPICKLE
                    assert "serialize_executable" not in called, name


# ---------------------------------------------------------------------------- paths


@pytest.mark.fault(29)
@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a/../../x", "..", "a\0b", ""])
def test_a_name_from_a_config_leads_nowhere(fault, name, tmp_path, capsys):
    """Names of a study's mixes become folders."""
    gin = tmp_path / "study.gin"
    mixes = {name: "five.gin"}
    gin.write_text(f"include 'studies/python_docs.gin'\nstudy.mixes = {mixes!r}\n")
    with fault() as noticed:
        words = [f"--gin_file={gin}", f"--out={tmp_path / 'study'}"]
        assert main(["study", *words]) == 2
        noticed()
        said = capsys.readouterr().err
        assert "study" in said and "Traceback" not in said
    assert sorted(p.name for p in tmp_path.iterdir()) == ["study.gin"]


@pytest.mark.fault(29)
@pytest.mark.parametrize(
    "name", ["../x-00000.array_record", "/tmp/x-00000.array_record"]
)
def test_a_shard_of_a_recording_leads_nowhere(
    fault, name, train, recorded, tmp_path, capsys
):
    rows = tmp_path / "rows"
    shutil.copytree(recorded, rows)
    body = json.loads((rows / "manifest.json").read_text())
    body["groups"][0]["shards"][0]["name"] = name
    del body["digest"]
    body["digest"] = digest_of(body)
    (rows / "manifest.json").write_text(json.dumps(body))
    with fault() as noticed:
        assert train(tmp_path / "run", data=rows) == 2
        noticed()
        assert "is no name of a shard" in capsys.readouterr().err


WRITTEN = [
    "checkpoints",
    "checkpoints_quarantined",
    "metrics.jsonl",
    "steps.jsonl",
    "goodput.jsonl",
    "rollbacks.jsonl",
    "changes.jsonl",
    "tensorboard",
    "lease",
]


@pytest.mark.fault(29)
@pytest.mark.parametrize("name", WRITTEN)
def test_a_link_in_a_run_directory_is_not_written_through(
    fault, name, train, tmp_path, capsys
):
    """Somebody else made the directory, and a link out of it."""
    run_dir, outside = tmp_path / "run", tmp_path / "outside"
    run_dir.mkdir()
    if "." in name:
        outside.write_text("{}\n")
    else:
        outside.mkdir()
        (outside / "7").mkdir()
    (run_dir / name).symlink_to(outside)
    before = _listing(outside)
    with fault() as noticed:
        assert train(run_dir) == 2
        noticed()
        said = capsys.readouterr().err
        assert str(run_dir / name) in said and "is a link" in said
        assert _listing(outside) == before


@pytest.mark.fault(29)
def test_a_run_directory_is_no_link(fault, train, tmp_path, capsys):
    outside, run_dir = tmp_path / "outside", tmp_path / "run"
    outside.mkdir()
    run_dir.symlink_to(outside)
    with fault() as noticed:
        assert train(run_dir) == 2
        noticed()
        said = capsys.readouterr().err
        assert "is a link" in said and f"--run_dir={outside}" in said
        assert not list(outside.iterdir())


def _listing(path):
    if path.is_file():
        return path.read_text()
    return sorted(str(p) for p in path.rglob("*"))
