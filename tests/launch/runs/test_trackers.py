"""Trackers: what they get, on a resume too; a broken or slow one stops no run."""

import logging
import threading
from pathlib import Path

import pytest
from rich.table import Table

from sightline.launch.runs import trackers
from sightline.launch.runs.metrics import MetricsWriter, read
from sightline.launch.runs.trackers import background, check_libraries, check_trackers
from sightline.launch.runs.trackers.tensorboard import TensorBoard
from sightline.launch.runs.trackers.tracker import Grid, Service as Kind, grid_of
from sightline.objectives.errors import UsageError


class Service:
    """A tracker in memory, which keeps everything that it is sent."""

    def __init__(self):
        self.calls, self.opened, self.break_at, self.wait = [], [], None, None
        self.run_id, self._recorded, self.unknown = "", {}, None

    def open_run(self, run_dir, *, run_id, resume_step, recorded):
        self.opened.append((run_id, resume_step))
        self._recorded = recorded if run_id else {}
        self.run_id = run_id or "run-1"
        return self

    def last_step(self, name):
        if self.wait is not None:
            self.wait.wait(10)
        if self.unknown is not None:
            raise self.unknown
        return self._recorded.get(name, -1)

    def config(self, text):
        self.calls.append(("config", text))

    def scalars(self, step, values):
        if self.wait is not None:
            self.wait.wait(10)
        if step == self.break_at:
            raise ConnectionError("no route to host\nand a page of more")
        self.calls.append((step, dict(values)))

    def table(self, step, name, grid):
        self.calls.append((step, name, grid))

    def picture(self, step, name, png):
        self.calls.append((step, name, png))

    def close(self, *, failed):
        self.calls.append(("close", failed))


@pytest.fixture
def service(monkeypatch):
    made = Service()
    monkeypatch.setattr(trackers, "LIBRARIES", {"fake": "json", "tensorboard": None})
    importlib = trackers.importlib
    monkeypatch.setattr(importlib, "import_module", lambda *_: made)
    return made


def write(run_dir, steps, resume_step=0):
    with MetricsWriter(run_dir, resume_step=resume_step, trackers=["fake"]) as writer:
        for step in steps:
            writer.write(step, {"loss": 1 / step, "note": "x"})


def test_a_tracker_gets_numbers_tables_pictures_and_the_config(service, tmp_path):
    table = Table("task", "loss")
    table.add_row("a.causal", "[green]1.5")
    assert isinstance(service, Kind)
    with MetricsWriter(tmp_path, trackers=["fake"]) as writer:
        writer.write_config("train.steps = 3\n")
        writer.write_table(0, "shares", table)
        writer.write(2, {"loss": 0.5, "note": "x", "none": None})
        writer.write_picture(2, "losses", lambda: b"png")
    assert service.calls == [
        ("config", "train.steps = 3\n"),
        (0, "shares", Grid(["task", "loss"], [("a.causal", "1.5")])),
        (2, {"loss": 0.5}),
        (2, "losses", b"png"),
        ("close", False),
    ]


def test_a_failed_run_is_shown_as_failed(service, tmp_path):
    with pytest.raises(ZeroDivisionError):
        with MetricsWriter(tmp_path, trackers=["fake"]):
            raise ZeroDivisionError
    assert service.calls == [("close", True)]


def test_a_resumed_run_is_the_same_and_sends_no_step_twice(service, tmp_path):
    write(tmp_path, range(1, 7))
    write(tmp_path, range(4, 9), resume_step=3)
    assert service.opened == [(None, 0), ("run-1", 3)]
    sent = [call[0] for call in service.calls if isinstance(call[0], int)]
    assert sent == list(range(1, 9))
    assert [record["step"] for record in read(tmp_path / "metrics.jsonl")] == sent


def test_a_tracker_that_is_added_on_a_resume_gets_all_from_there(service, tmp_path):
    with MetricsWriter(tmp_path, trackers=[]) as writer:
        for step in range(1, 7):
            writer.write(step, {"loss": 1.0})
    write(tmp_path, range(4, 9), resume_step=3)
    sent = [call[0] for call in service.calls if isinstance(call[0], int)]
    assert sent == [4, 5, 6, 7, 8]


def test_a_tracker_that_fails_is_logged_once_and_left_alone(service, tmp_path, caplog):
    service.break_at = 3
    write(tmp_path, range(1, 9))
    assert [c[0] for c in service.calls] == [1, 2]
    (line,) = [r.getMessage() for r in caplog.records]
    assert "tracker fake gets nothing more from this run" in line
    assert "ConnectionError: no route to host. Training goes on" in line
    assert len(read(tmp_path / "metrics.jsonl")) == 8


def test_a_tracker_that_cannot_tell_what_it_holds_is_left_alone(
    service, tmp_path, caplog
):
    """A resumed run does not ask it in the thread that trains."""
    write(tmp_path, range(1, 7))
    service.unknown = ConnectionError("no route to host")
    write(tmp_path, range(4, 9), resume_step=3)
    (line,) = [r.getMessage() for r in caplog.records]
    assert "ConnectionError: no route to host. Training goes on" in line
    assert [r["step"] for r in read(tmp_path / "metrics.jsonl")] == list(range(1, 9))


def test_a_tracker_that_never_answers_is_left_behind(
    service, tmp_path, caplog, monkeypatch
):
    monkeypatch.setattr(background, "WAITING", 3)
    monkeypatch.setattr(background, "CLOSE_SECONDS", 0.1)
    service.wait = threading.Event()
    write(tmp_path, range(1, 20))
    (line,) = [r.getMessage() for r in caplog.records]
    assert "it is 3 records behind" in line
    service.wait.set()


def test_the_end_waits_for_a_slow_tracker_no_longer_than_stated(
    service, tmp_path, caplog, monkeypatch
):
    monkeypatch.setattr(background, "CLOSE_SECONDS", 0.1)
    service.wait = threading.Event()
    write(tmp_path, [1])
    (line,) = [r.getMessage() for r in caplog.records]
    assert "not taken everything within 0.1 s" in line
    service.wait.set()


def test_a_tracker_that_cannot_be_opened(service, tmp_path, monkeypatch, caplog):
    """A mistake of the set-up for a new run; a fault like others on a resume."""

    def refuse(*_, **__):
        raise RuntimeError("no API key")

    write(tmp_path / "old", [1, 2])
    monkeypatch.setattr(service, "open_run", refuse)
    with pytest.raises(UsageError, match=r"'fake' cannot be opened: .*no API key;"):
        write(tmp_path / "new", [1])
    with caplog.at_level(logging.WARNING):
        write(tmp_path / "old", [2, 3], resume_step=1)
    assert "no API key. Training goes on" in caplog.text
    assert len(read(tmp_path / "old" / "metrics.jsonl")) == 3


def test_unknown_trackers_and_missing_libraries_are_refused(monkeypatch, tmp_path):
    check_trackers(("tensorboard",))
    check_trackers(())
    with pytest.raises(UsageError, match="no 'wandv'; did you mean 'wandb'"):
        check_trackers(("wandv",))
    with pytest.raises(UsageError, match=r"is 'wandb'; write a tuple, \('wandb',\)"):
        check_trackers("wandb")
    with pytest.raises(UsageError, match="'tensorboard' twice"):
        check_trackers(("tensorboard", "tensorboard"))
    monkeypatch.setattr(trackers, "LIBRARIES", {"wandb": "no_such_library"})
    message = r"'no_such_library' is not installed; .*sightline\[trackers\]"
    with pytest.raises(UsageError, match=message):
        check_libraries(("wandb",))
    # A folder is no library.
    (tmp_path / "no_such_library").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match=message):
        check_libraries(("wandb",))


def test_tensorboard_gets_text_tables_and_pictures(tmp_path):
    from tensorboardX.proto.event_pb2 import Event

    table = Table("task", "loss")
    table.add_row("a.causal", "1.5")
    with MetricsWriter(tmp_path, resume_step=4) as writer:
        writer.write_config("train.steps = 3\n")
        writer.write_table(5, "held_out", table)
        writer.write(5, {"loss": 0.5})
        writer.write_picture(5, "losses", lambda: b"\x89PNG")
    events = [Event.FromString(data) for data in _records(tmp_path / "tensorboard")]
    assert [event.step for event in events[1:]] == [5, 4, 5, 5, 5]
    config, held_out, loss, picture = (e.summary.value[0] for e in events[2:])
    assert config.tensor.string_val[0] == b"    train.steps = 3"
    assert b"| a.causal | 1.5 |" in held_out.tensor.string_val[0]
    assert loss.simple_value == 0.5
    assert picture.image.encoded_image_string == b"\x89PNG"


def test_a_later_file_of_tensorboard_is_read_later(tmp_path, monkeypatch):
    """By its name, though the clock was set back or two starts share a second."""
    import time

    for now in (1_700_000_000.2, 1_700_000_000.4, 1_600_000_000.0):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        TensorBoard(tmp_path, 0).close(failed=False)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [name.split(".")[3] for name in names] == [
        "1700000000",
        "1700000001",
        "1700000002",
    ]


def _records(folder: Path):
    """The records of a file of events: length, its CRC, data, its CRC."""
    (file,) = folder.iterdir()
    data, at = file.read_bytes(), 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 8], "little")
        yield data[at + 12 : at + 12 + length]
        at += 16 + length


def test_a_picture_that_cannot_be_drawn_is_logged(service, tmp_path, caplog):
    with MetricsWriter(tmp_path, trackers=["fake"]) as writer:
        writer.write_picture(1, "losses", lambda: 1 // 0)
    assert "no picture 'losses' for the trackers" in caplog.text
    assert service.calls == [("close", False)]


def test_a_table_of_the_terminal_as_text():
    table = Table("a", "b")
    table.add_row("[red]1", "2")
    assert grid_of(table) == Grid(["a", "b"], [("1", "2")])
