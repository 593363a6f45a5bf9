"""metrics.jsonl: valid records, and a resumed file equals an uninterrupted one."""

import contextlib
import json
import math
import resource

import pytest

from sightline.launch.runs.changes import read_changes
from sightline.launch.runs.directory import StorageError
from sightline.launch.runs.goodput import Goodput, read as read_goodput
from sightline.launch.runs.json_lines import append_lines
from sightline.launch.runs.metrics import MetricsWriter, drop_after, read
from sightline.launch.runs.trace import Step, StepTrace, read_trace
from sightline.launch.training.rollback import rollbacks
from sightline.objectives.errors import UsageError


def write(run_dir, steps, resume_step=0):
    with MetricsWriter(run_dir, resume_step=resume_step) as writer:
        for step in steps:
            writer.write(step, {"train/causal/loss": 1 / step, "note": "x"})


def test_one_flat_object_a_record(tmp_path):
    with MetricsWriter(tmp_path) as writer:
        writer.write(1, {"a/b": 0.5, "n": 3, "text": "é", "none": None})
        # Written at once, not when the file is closed.
        assert (tmp_path / "metrics.jsonl").read_text().endswith("}\n")
    (line,) = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "step": 1,
        "a/b": 0.5,
        "n": 3,
        "text": "é",
        "none": None,
    }
    assert list((tmp_path / "tensorboard").iterdir())


def test_numbers_that_json_lacks_are_strings(tmp_path):
    with MetricsWriter(tmp_path) as writer:
        writer.write(1, {"a": math.nan, "b": math.inf, "c": -math.inf})

    def refuse(constant):
        raise AssertionError(constant)

    text = (tmp_path / "metrics.jsonl").read_text()
    record = json.loads(text, parse_constant=refuse)
    assert [record[name] for name in "abc"] == ["NaN", "Infinity", "-Infinity"]
    assert math.isnan(float(record["a"])) and float(record["c"]) == -math.inf


@pytest.mark.parametrize("stopped_at", [6, 9])
def test_a_resumed_file_equals_an_uninterrupted_one(tmp_path, stopped_at):
    write(tmp_path / "whole", range(1, 11))
    write(tmp_path / "cut", range(1, stopped_at))
    with (tmp_path / "cut" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 99, "train/cau')  # torn by the kill
    write(tmp_path / "cut", range(5, 11), resume_step=4)
    whole, cut = (tmp_path / name / "metrics.jsonl" for name in ("whole", "cut"))
    assert whole.read_bytes() == cut.read_bytes()


@pytest.mark.parametrize("tail", ['{"step": 2', '{"step": 2}', "\0\0\0\0"])
def test_a_torn_last_line_is_left_out(tmp_path, tail):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n' + tail)
    assert read(path) == [{"step": 1}]
    drop_after(path, step=5)
    assert path.read_text() == '{"step": 1}\n'


@pytest.mark.parametrize("line", ["nonsense", "[1]", "{}", '{"step": "1"}', "\0\0"])
@pytest.mark.parametrize("rest", ["", '{"step": 2}\n'])
def test_damage_is_an_error(line, rest, tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text(f'{{"step": 1}}\n{line}\n{rest}')
    with pytest.raises(UsageError, match=r"metrics\.jsonl:2 is damaged.*Restore"):
        read(path)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("trackers.jsonl", '{"tracker": "wandb"}'),
        ("trackers.jsonl", "[]"),
        ("steps.jsonl", '{"step": 3}'),
        ("goodput.jsonl", "nonsense"),
        ("goodput.jsonl", '{"other": 1}'),
        ("goodput.jsonl", '{"until": 1.0, "seconds": {"data": "long"}}'),
        ("rollbacks.jsonl", "[6, 4]"),
        ("changes.jsonl", "{}"),
    ],
)
def test_damage_of_any_file_of_a_run_names_the_line(name, line, tmp_path):
    readers = {
        "trackers.jsonl": MetricsWriter,
        "steps.jsonl": read_trace,
        "goodput.jsonl": Goodput,
        "rollbacks.jsonl": rollbacks,
        "changes.jsonl": read_changes,
    }
    (tmp_path / name).write_text(f"{line}\n")
    with pytest.raises(UsageError, match=rf"{name}:1 is damaged"):
        readers[name](tmp_path)


def test_a_line_is_appended_in_place_of_a_torn_one(tmp_path):
    path = tmp_path / "changes.jsonl"
    append_lines(path, [1])
    with path.open("a") as file:
        file.write('{"st')
    append_lines(path, [2, 3])
    assert path.read_text() == "1\n2\n3\n"


def test_a_missing_file_stays_missing(tmp_path):
    drop_after(tmp_path / "metrics.jsonl", step=3)
    assert not list(tmp_path.iterdir())


@contextlib.contextmanager
def full_at(size):
    """No file grows beyond so many bytes: a write is cut there, and the next fails."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("room", [0, 1, 30])
def test_a_disk_that_is_full_for_a_while_tears_no_line(room, tmp_path):
    """What is appended once there is space again does not follow half a line."""
    steps = StepTrace(tmp_path, resume_step=0)
    goodput = Goodput(tmp_path, period=0.0).__enter__()
    metrics = MetricsWriter(tmp_path, trackers=[])

    def append_step(step):
        steps.write(step, Step(1 / step, 0.5))
        steps.flush()

    writers = {
        "steps.jsonl": append_step,
        "goodput.jsonl": lambda _: goodput.flush(),
        "metrics.jsonl": lambda step: metrics.write(step, {"loss": 1 / step}),
    }
    for name, append in writers.items():
        append(1)
        before = (tmp_path / name).read_bytes()
        with full_at(len(before) + room), pytest.raises(StorageError):
            append(3)
        assert (tmp_path / name).read_bytes() == before
        append(7)
    assert [step for step, _ in read_trace(tmp_path)] == [1, 3, 7]
    assert len(read_goodput(tmp_path / "goodput.jsonl")) == 4
    assert [record["step"] for record in read(tmp_path / "metrics.jsonl")] == [1, 7]
