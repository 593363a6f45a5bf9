"""Data that is damaged, changed, or whose maker dies; and rows, which stay the same."""

import itertools
import json
import os
import random
import shutil
import signal
import time

import numpy as np
import pytest
from array_record.python.array_record_module import ArrayRecordReader, ArrayRecordWriter
from one_process import MIXTURE, flip, outcome
from trial_runs import last_step, saved_steps, workers

from sightline.launch.cli import main
from sightline.launch.configuration.config import load
from sightline.launch.training.batch_identity import batch_digest
from sightline.launch.training.data import Streaming
from sightline.launch.training.recorded import RecordedData
from sightline.models.rows import decoder_rows
from sightline.tasks.files import sha256_of, sha256_of_edges
from sightline.tasks.recorded.identity import digest_of
from sightline.tasks.recorded.manifest import read_manifest
from sightline.tasks.recorded.parts import OPTIONS
from sightline.tasks.tokens import vocabulary as vocabulary_module

pytestmark = pytest.mark.unchecked

SHARD = "train-policies.causal-00001.array_record"
"""Its rows are read within the first steps."""


@pytest.fixture
def copy(recorded, tmp_path):
    """A copy of the recording."""
    shutil.copytree(recorded, tmp_path / "rows")
    return tmp_path / "rows"


@pytest.fixture
def resumed(train, faults, tmp_path):
    """A run that is complete, and to be resumed."""
    assert train(tmp_path / "run", "STEPS=5") == 0
    return tmp_path / "run"


# ---------------------------------------------------------------- the same rows


def _sources(recorded):
    config = load(["any_mixture.gin"], list(MIXTURE))
    mixture = config.arguments("train", run_dir="", config=None)["mixture"]
    rows = decoder_rows(slots=64, predictions=64)
    return {
        "recorded": lambda: RecordedData(recorded, mixture.phases(), rows, 8),
        "streaming": lambda: Streaming(mixture, rows, 8, workers=0),
    }


def _identities(stream, number):
    whole = np.ones(8, bool)
    found = []
    for count, (batch, position) in enumerate(stream):
        if count == number:
            return found, position
        found.append(batch_digest(batch, first_row=0, counted=whole))
    raise AssertionError("the stream ended")


@pytest.mark.fault(6)
@pytest.mark.parametrize(
    "kind", ["recorded", pytest.param("streaming", marks=pytest.mark.faults)]
)
def test_rows_after_any_cuts_are_those_of_a_whole_run(fault, kind, recorded):
    """Over more than one epoch of the recording, and a mixture of two tasks."""
    print("seed", 0)
    make, rng = _sources(recorded)[kind], random.Random(0)
    whole, _ = _identities(make().training(seed=0, position=None), 200)
    for _ in range(5):
        cuts = sorted({0, *(rng.randrange(1, 200) for _ in range(3)), 200})
        with fault() as noticed:
            found, position = [], None
            for start, stop in itertools.pairwise(cuts):
                # As a run stores it: JSON.
                stream = make().training(
                    seed=0, position=json.loads(json.dumps(position))
                )
                part, position = _identities(stream, stop - start)
                found += part
            noticed(since=None, steps_lost=0)
            assert found == whole


# ------------------------------------------------------------------ damaged rows


def _poison(folder, field, id_, *, row=5):
    """Puts an id into a recorded row, with all checksums made anew."""
    manifest = read_manifest(folder)
    shard, row_format = folder / SHARD, manifest.row_format
    reader = ArrayRecordReader(str(shard), "max_parallelism:0")
    rows = np.frombuffer(b"".join(reader.read_all()), row_format.dtype()).copy()
    reader.close()
    rows[field][row, 0] = np.int64(id_).astype(rows[field].dtype)
    writer = ArrayRecordWriter(str(shard), OPTIONS)
    for each in rows:
        writer.write(each.tobytes())
    writer.close()
    body = json.loads((folder / "manifest.json").read_text())
    shards = (s for group in body["groups"] for s in group["shards"])
    (entry,) = [s for s in shards if s["name"] == SHARD]
    entry["bytes"], entry["sha256"] = shard.stat().st_size, sha256_of(shard)
    body["edges"][SHARD] = sha256_of_edges(shard)
    del body["digest"]
    content = {k: body[k] for k in body if k not in ("gin", "identity", "edges")}
    body["identity"] = digest_of(content)
    body["digest"] = digest_of(body)
    (folder / "manifest.json").write_text(json.dumps(body))


IDS = [
    ("decoder.tokens", -1),
    pytest.param("decoder.targets", -1, marks=pytest.mark.faults),
    pytest.param("decoder.tokens", 60_000, marks=pytest.mark.faults),
    pytest.param("decoder.targets", 1 << 15, marks=pytest.mark.faults),
]


@pytest.mark.fault(8)
@pytest.mark.parametrize(("field", "id_"), IDS)
def test_an_id_outside_the_vocabulary_ends_the_run(
    fault, field, id_, train, copy, tmp_path, capsys
):
    _poison(copy, field, id_)
    with fault() as noticed:
        assert train(tmp_path / "run", data=copy) == 2
        noticed()
        said = capsys.readouterr().err
        assert f"row 5 of {copy / SHARD} is damaged: {field} holds the id" in said
        assert str(id_ % 2**16) in said


HARMS = {
    "missing": lambda shard: shard.unlink(),
    "empty": lambda shard: shard.write_bytes(b""),
    "one byte short": lambda shard: shard.write_bytes(shard.read_bytes()[:-1]),
    "cut at a block": lambda shard: shard.write_bytes(shard.read_bytes()[: 2**16]),
    "of another": lambda shard: shutil.copy(
        shard.with_name(SHARD.replace("00001", "00000")), shard
    ),
}


@pytest.mark.fault(21)
@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_shard_ends_the_run(fault, harm, train, copy, tmp_path, capsys):
    HARMS[harm](copy / SHARD)
    with fault() as noticed:
        if harm == "of another":  # of the same size: only its checksum tells
            assert main(["record", f"--check={copy}"]) == 2
        else:
            assert train(tmp_path / "run", data=copy) == 2
        noticed()
        assert f"{copy / SHARD} is damaged" in capsys.readouterr().err


@pytest.mark.fault(21)
@pytest.mark.faults
def test_flipped_bits_of_rows_end_the_run_that_reads_them(
    fault, train, copy, tmp_path, capsys, whole
):
    """Or it was one that no row needs, and the run is the same to the last bit."""
    print("seed", 0)
    rng = random.Random(0)
    content = (copy / SHARD).read_bytes()
    used = [n for n, byte in enumerate(content) if byte]
    for trial in range(15):
        flip(copy / SHARD, rng.choice(used) * 8 + rng.randrange(8))
        run_dir = tmp_path / f"run-{trial}"
        with fault() as noticed:
            status = train(run_dir, data=copy)
            said = capsys.readouterr().err
            if status == 0:
                assert outcome(run_dir) == outcome(whole)
            else:
                noticed()
                assert status == 2 and f"{copy / SHARD} is damaged" in said
        (copy / SHARD).write_bytes(content)


# ------------------------------------------------------------------ changed data

CHANGES = {
    "Mixture.rates={'policies.causal': 1, 'policies.masked': 1}": "Mixture.rates",
    "train.seed=1": "train.seed",
    "train.batch_rows=16": "train.batch_rows",
    "Mixture.loss_shares={'causal': 0.25, 'masked': 0.75}": "Mixture.loss_shares",
}


@pytest.mark.fault(22)
@pytest.mark.faults
@pytest.mark.parametrize("change", CHANGES)
def test_changed_data_is_refused_on_resume_unless_it_is_allowed(
    fault, change, train, resumed, capsys
):
    name = CHANGES[change]
    # A longer run is the same run.
    with fault() as noticed:
        assert train(resumed, "STEPS=10", change) == 2
        noticed()
        said = capsys.readouterr().err
        assert f"+{name} = " in said and f"--allow={name}" in said
        assert saved_steps(resumed) == [5]
    with fault():
        assert train(resumed, "STEPS=10", change, f"--allow={name}") == 0
        (changed,) = [
            json.loads(line)
            for line in (resumed / "changes.jsonl").read_text().splitlines()
            if name in line
        ]
        assert changed["step"] == 5 and changed["name"] == name


@pytest.mark.fault(24)
@pytest.mark.faults
def test_another_vocabulary_under_the_same_name_is_refused(
    fault, train, tmp_path, capsys
):
    print("seed", 0)
    rng = random.Random(0)
    shipped = vocabulary_module._SHIPPED / "policies.model"
    model = tmp_path / "own.model"
    shutil.copy(shipped, model)
    name = f"Mixture.vocabulary={model}"
    run_dir = tmp_path / "run"
    assert train(run_dir, "STEPS=5", name) == 0
    content = model.read_bytes()
    for _ in range(12):
        flip(model, rng.randrange(len(content) * 8))
        vocabulary_module.vocabulary.cache_clear()
        with fault() as noticed:
            assert train(run_dir, "STEPS=10", name) == 2
            noticed()
            said = capsys.readouterr().err
            digests = said.count("sha256")
            assert digests or f"{model}" in said
        model.write_bytes(content)
    vocabulary_module.vocabulary.cache_clear()
    assert saved_steps(run_dir) == [5]
    assert train(run_dir, "STEPS=10", name) == 0


# ------------------------------------------------------------------- its maker dies

STREAM = ("train.data=None", "train.data_workers=1", "STEPS=400")

RAISES = """
import sys
from importlib.abc import MetaPathFinder
import multiprocessing
def broken(self, *a, **k):
    raise RuntimeError("no such luck: document 7")
if "spawn_main" in " ".join(sys.orig_argv):
    import sightline.tasks.streaming.chunks as chunks
    chunks.LocalMaker.make = broken
"""


@pytest.mark.fault(20)
@pytest.mark.faults
def test_a_killed_maker_of_data_ends_the_run(fault, trial):
    """Each process that makes data in turn; the state at hand is saved."""
    runs = trial(*STREAM)
    for victim in range(2):
        with fault() as noticed:
            before = last_step(runs.folder / "run")
            run = runs.start("run")
            run.wait_for_step(before + 10)
            (parent,) = run.processes
            makers = workers(parent.pid)
            os.kill(makers[victim % len(makers)], signal.SIGKILL)
            began = time.monotonic()
            (status,) = run.wait(limit=60)
            noticed(since=began, steps_lost=0)
            assert status in (1, 2)
            assert "was killed by SIGKILL" in runs.log("run")


@pytest.mark.fault(20)
@pytest.mark.faults
def test_an_exception_in_a_maker_of_data_ends_the_run(fault, trial, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(RAISES)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    runs = trial(*STREAM, environment={"PYTHONPATH": path})
    with fault() as noticed:
        (status,) = runs.start("run").wait(limit=120)
        noticed(since=None)
        assert status == 1
        assert "no such luck: document 7" in runs.log("run")
