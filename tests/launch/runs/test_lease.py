"""One run directory, one run, whatever the file system can lock."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from sightline.launch.runs import lease
from sightline.objectives.errors import UsageError


def of_another(folder, **fields):
    """Writes the lease of another run."""
    holder = lease.own_holder(folder)._replace(nonce="another", **fields)
    (folder / "lease").write_text(json.dumps(holder))
    return holder


def test_a_process_holds_its_lease_once(tmp_path):
    first = lease.hold(tmp_path)
    assert lease.hold(tmp_path) is first
    first.check()
    first.release()
    assert not (tmp_path / "lease").exists()


def test_the_holder_on_this_machine_is_named(tmp_path):
    holder = of_another(tmp_path)  # this process lives
    with pytest.raises(UsageError, match="another process is training") as error:
        lease.hold(tmp_path)
    for part in (f"process {os.getpid()} on {holder.host}", holder.since):
        assert part in str(error.value)


@pytest.mark.parametrize("change", ["gone", "number used again"])
def test_a_lease_ends_with_its_process(change, tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "_SETTLE_SECONDS", 0)
    if change == "gone":
        done = subprocess.Popen([sys.executable, "-c", ""])
        done.wait()
        of_another(tmp_path, pid=done.pid)
    else:
        of_another(tmp_path, started="1")
    lease.hold(tmp_path).check()


def test_another_machine_that_renews_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "own_holder", lease.own_holder)
    of_another(tmp_path, host="node7", machine="node7 another boot")
    renew = "import os, sys, time\nwhile True: os.utime(sys.argv[1]); time.sleep(.2)"
    path = str(tmp_path / "lease")
    with subprocess.Popen([sys.executable, "-c", renew, path]) as other:
        try:
            with pytest.raises(UsageError, match="on node7"):
                lease.hold(tmp_path)
        finally:
            other.kill()


def test_the_lease_of_a_dead_machine_expires(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(lease, "EXPIRES_SECONDS", 1.0)
    monkeypatch.setattr(lease, "_SILENT_SECONDS", 0.2)
    monkeypatch.setattr(lease, "_SETTLE_SECONDS", 0)
    of_another(tmp_path, host="node7", machine="node7 another boot")
    began = time.monotonic()
    lease.hold(tmp_path).check()
    assert time.monotonic() - began >= 1
    (said,) = caplog.messages
    assert f"waiting up to 1 s to see whether the holder of {tmp_path}" in said
    assert f"process {os.getpid()} on node7, since" in said


def test_an_old_lease_is_taken_over_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "_SETTLE_SECONDS", 0)
    of_another(tmp_path, machine="node7 another boot")
    os.utime(tmp_path / "lease", (0, 0))
    began = time.monotonic()
    lease.hold(tmp_path)
    assert time.monotonic() - began < 5


def test_of_two_that_take_over_one_holds(tmp_path, monkeypatch):
    """The second to write holds; the first sees it when both have settled."""
    of_another(tmp_path, started="1")
    monkeypatch.setattr(lease.time, "sleep", lambda _: of_another(tmp_path, pid=2))
    with pytest.raises(UsageError, match="process 2 on"):
        lease.hold(tmp_path)


def renamed(folder):
    folder.rename(folder.with_name("elsewhere"))


def renamed_and_made_again(folder):
    renamed(folder)
    folder.mkdir()


def taken_over(folder):
    of_another(folder)


def deleted(folder):
    (folder / "lease").unlink()
    folder.rmdir()


def lease_deleted(folder):
    (folder / "lease").unlink()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (renamed, "{} was renamed or deleted"),
        (renamed_and_made_again, "{} is another folder"),
        (taken_over, "{} was taken over by process"),
        (deleted, "{} was renamed or deleted"),
        (lease_deleted, "{}/lease was deleted"),
    ],
)
def test_a_run_that_lost_its_directory_stops(fault, words, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    held = lease.hold(folder)
    fault(folder)
    with pytest.raises(lease.LeaseLost, match=f"^{words.format(folder)}"):
        held.check()
    held.release()  # leaves what is not its own
    if fault is taken_over:
        assert json.loads((folder / "lease").read_text())[0] == "another"


def test_a_torn_lease_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "EXPIRES_SECONDS", 1.0)
    monkeypatch.setattr(lease, "_SETTLE_SECONDS", 0)
    (tmp_path / "lease").write_text('["abc')
    lease.hold(tmp_path).check()


def test_the_lease_is_renewed_while_the_disk_is_full(tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.05)
    held = lease.hold(tmp_path)
    path = tmp_path / "lease"
    os.utime(path, (0, 0))
    time.sleep(0.5)
    assert path.stat().st_mtime > 0
    held.release()


def test_a_lease_that_came_with_a_copy_of_the_folder_counts_for_nothing(tmp_path):
    original, copy = tmp_path / "run", tmp_path / "copy"
    original.mkdir()
    lease.hold(original)
    shutil.copytree(original, copy)
    lease.hold(copy).check()
