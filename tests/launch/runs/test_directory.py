"""A run's directory: whose it is, and whether it is still there."""

import errno
import json
import shutil

import pytest

from sightline.launch.runs.directory import (
    RunDirectory,
    StorageError,
    close_after,
    storage_errors,
)
from sightline.launch.runs.run_identity import Change, RunIdentity
from sightline.launch.training.rollback import begun_again
from sightline.objectives.errors import UsageError

CONFIG = "text.folder = 'papers'\nMixture.name = 'm'\n"


@pytest.fixture
def directory(tmp_path):
    run_dir = tmp_path / "r [1]"
    directory = RunDirectory(run_dir)
    (run_dir / "checkpoints").mkdir()
    directory.check()
    return directory


@pytest.mark.parametrize("below", ["", "checkpoints"])
def test_a_deleted_directory_is_found_and_not_made_again(directory, below):
    shutil.rmtree(directory.path / below)
    with pytest.raises(StorageError, match="has gone"):
        directory.check()
    assert not (directory.path / below).exists()


def test_a_renamed_or_replaced_directory_is_found(directory):
    directory.path.rename(directory.path.with_name("renamed"))
    with pytest.raises(StorageError, match="has gone"):
        directory.check()
    (directory.path / "checkpoints").mkdir(parents=True)
    with pytest.raises(StorageError, match="is another folder"):
        directory.check()


@pytest.mark.parametrize(
    ("run_dir", "message"),
    [
        ("", "--run_dir is empty"),
        (
            "gs://bucket/run",
            "gs:// is none; give a local or shared folder, and",
        ),
        ("s3://bucket/run", "s3:// is none"),
    ],
)
def test_what_is_no_folder_is_refused(run_dir, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=message):
        RunDirectory(run_dir)
    with pytest.raises(UsageError) as error:
        RunDirectory(run_dir, option="--copy_to")
    assert "--run_dir" not in str(error.value) and not list(tmp_path.iterdir())


def test_changes_are_recorded_and_the_config_is_the_newest(directory):
    run = RunIdentity("adamw.b1 = 0.8\n", {"corpus text": "abc"})
    for step in (4, 6):
        changes = [Change("adamw.b1", "0.9", "0.8")]
        directory.write_config(run, step=step, changes=changes)
    text = (directory.path / "config.gin").read_text()
    assert text == "# corpus text abc\nadamw.b1 = 0.8\n"
    lines = (directory.path / "changes.jsonl").read_text().splitlines()
    expected = {"name": "adamw.b1", "before": "0.9", "after": "0.8"}
    assert [json.loads(line) for line in lines] == [
        {"step": step, **expected} for step in (4, 6)
    ]


@pytest.mark.parametrize("name", ["records/a-0-5.json", "runs/a-0/points/5"])
def test_the_folder_of_a_study_is_no_run(tmp_path, name):
    directory = RunDirectory(tmp_path / "study")
    directory.refuse_study()
    (directory.path / name).parent.mkdir(parents=True)
    (directory.path / name).touch()
    with pytest.raises(UsageError, match=r"of a `sightline study`; .* --run_dir"):
        directory.refuse_study()


def test_an_error_of_the_system_names_what_was_not_written(tmp_path):
    with (
        pytest.raises(StorageError, match=r"metrics could not be written .* No space"),
        storage_errors("the metrics", tmp_path),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_an_error_while_closing_does_not_hide_the_first(caplog):
    def close():
        raise StorageError("second")

    close_after(KeyError, close)
    assert "second" in caplog.text
    with pytest.raises(StorageError):
        close_after(None, close)


def test_a_process_trains_in_a_folder_once_at_a_time(tmp_path):
    """As from another thread: the lease is of the process, which has it already."""

    @begun_again
    def train(*, run_dir):
        with pytest.raises(UsageError, match="this process is training in"):
            train(run_dir=run_dir)
        return 1

    assert train(run_dir=tmp_path) == train(run_dir=tmp_path) == 1
