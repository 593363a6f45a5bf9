"""Runs of many processes that are refused, each with the reason and who it is."""

import socket
import time

import pytest
from process_runs import at_step, free_port, on, statuses
from trial_runs import last_step, saved_steps

pytestmark = pytest.mark.unchecked


@pytest.mark.fault(17)
@pytest.mark.faults
def test_directories_that_are_not_shared(start, fault, tmp_path):
    with fault() as noticed:
        began = time.monotonic()
        with start(
            tmp_path / "run",
            "STEPS=4",
            arguments=lambda n: [f"--run_dir={tmp_path / f'run{n}'}"],
        ) as run:
            outcomes = run.wait()
        noticed()
        assert time.monotonic() - began < 60  # 10 s of them to look for the file
        assert set(statuses(outcomes)) <= {2, 77}
        for outcome in outcomes.values():
            assert "must be one folder that all hosts share" in outcome.output
            assert "process 1 (" in outcome.output


OTHER_CODE = """
from sightline.launch.training import shared_run as _shared
_shared.code_version = lambda: "source of another version"
"""
OTHER_DATA = """
from sightline.launch.training import shared_run as _shared
_check = _shared.check_one_run
def _patched(run):
    _check(run._replace(identities={**run.identities, "recording": "another"}))
from sightline.launch.training import train as _train
_train.check_one_run = _patched
"""


@pytest.mark.fault(18)
def test_processes_of_other_configs(start, fault, tmp_path):
    run_dir = tmp_path / "run"
    with fault() as noticed:
        with start(
            run_dir,
            "STEPS=6",
            arguments=lambda n: ["--gin.train.clip_norm=0.5"] if n == 1 else [],
        ) as run:
            outcomes = run.wait()
        noticed()
        assert set(statuses(outcomes)) <= {2, 77}
        for outcome in outcomes.values():
            assert "the processes differ in their config" in outcome.output
            assert "train.clip_norm = 0.5" in outcome.output
        assert not run_dir.exists()


@pytest.mark.fault(18)
@pytest.mark.faults
@pytest.mark.parametrize(("what", "code"), [("code", OTHER_CODE), ("data", OTHER_DATA)])
@pytest.mark.parametrize("other", [0, 1])
def test_processes_of_other_code_or_data(what, code, other, start, fault, tmp_path):
    run_dir = tmp_path / "run"
    with fault() as noticed:
        with start(run_dir, "STEPS=6", before=on(other, code)) as run:
            outcomes = run.wait()
        noticed()
        assert set(statuses(outcomes)) <= {2, 77}
        for outcome in outcomes.values():
            assert f"the processes differ in their {what}" in outcome.output
            assert "another" in outcome.output
        assert not run_dir.exists()


@pytest.mark.fault(18)
@pytest.mark.faults
def test_processes_that_disagree_on_their_number(start, fault, tmp_path):
    with fault() as noticed:
        with start(
            tmp_path / "run",
            "STEPS=4",
            arguments=lambda n: ["--processes=3"] if n == 1 else [],
        ) as run:
            outcomes = run.wait()
        noticed()
        assert statuses(outcomes) == [2, 2]
        for outcome in outcomes.values():
            assert "process 1 was started with --processes=3" in outcome.output


@pytest.mark.fault(19)
@pytest.mark.faults
def test_a_second_run_in_the_directory_of_a_first(start, fault, tmp_path):
    run_dir = tmp_path / "run"
    slow = at_step(6, "import time; time.sleep(40)")
    with fault() as noticed:
        with start(run_dir, "STEPS=8", before=lambda n: slow) as first:
            first.wait_for(lambda: last_step(run_dir) >= 4)
            with start(run_dir, "STEPS=8") as second:
                outcomes = second.wait(seconds=60)
            noticed()
            assert set(statuses(outcomes)) <= {2, 77}
            for outcome in outcomes.values():
                assert "another process is training in" in outcome.output
            assert statuses(first.wait()) == [0, 0]
        assert saved_steps(run_dir) == [2, 4, 6, 8]


@pytest.mark.fault(23)
@pytest.mark.faults
def test_a_peer_that_never_starts(start, fault, tmp_path):
    words = {"arguments": lambda n: ["--join_seconds=8"], "devices": 1}
    run_dir = tmp_path / "run"
    with fault() as noticed:
        with start(run_dir, "STEPS=4", processes=3, start=[0, 2], **words) as run:
            outcomes = run.wait()
        noticed()
        assert {outcome.status for outcome in outcomes.values()} == {2}
        for outcome in outcomes.values():
            assert "missing: process 1." in outcome.output


@pytest.mark.fault(23)
@pytest.mark.faults
def test_a_coordinator_that_never_starts(start, fault, tmp_path):
    words = {"arguments": lambda n: ["--join_seconds=5"]}
    with fault() as noticed:
        with start(tmp_path / "run", "STEPS=4", start=[1], **words) as run:
            outcomes = run.wait()
        noticed()
        assert outcomes[1].status == 2
        assert "could not reach process 0 at 127.0.0.1:" in outcomes[1].output


@pytest.mark.fault(23)
@pytest.mark.faults
def test_a_port_that_is_taken(start, fault, tmp_path):
    with socket.create_server(("127.0.0.1", free_port())) as taken, fault() as noticed:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        words = [f"--coordinator={address}", "--join_seconds=5"]
        with start(tmp_path / "run", "STEPS=4", arguments=lambda n: words) as run:
            outcomes = run.wait()
        noticed()
        assert statuses(outcomes) == [2, 2]
        assert f"cannot listen at {address}" in outcomes[0].output
        assert f"could not reach process 0 at {address}" in outcomes[1].output


UNREADABLE = """
from sightline.launch.runs import verified as _verified
_reader, _broken = _verified._reader, []
def _patched(handler):
    reader = _reader(handler)
    restore = reader.restore
    def broken(path, **arguments):
        if "6" in path.parts and not _broken:  # it is saved anew, and read back
            _broken.append(path)
            raise OSError(116, "Stale file handle", str(path))
        return restore(path, **arguments)
    reader.restore = broken
    return reader
_verified._reader = _patched
"""


def truncate_part_of(run_dir, step, process):
    """Cuts the files that one process wrote of a checkpoint's arrays."""
    state = run_dir / "checkpoints" / str(step) / "state" / f"ocdbt.process_{process}"
    files = [path for path in (state / "d").iterdir() if path.is_file()]
    assert files
    for path in files:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.fault(13)
@pytest.mark.faults
@pytest.mark.parametrize("how", ["unreadable", "truncated"])
@pytest.mark.parametrize("process", [0, 1])
def test_a_checkpoint_that_one_host_cannot_read(how, process, start, fault, tmp_path):
    """All fall back to the same older one."""
    run_dir = tmp_path / "run"
    with start(run_dir, "STEPS=6") as run:
        assert statuses(run.wait()) == [0, 0]
    steps = (run_dir / "steps.jsonl").read_text()
    if how == "truncated":
        truncate_part_of(run_dir, 6, process)
    before = on(process, UNREADABLE if how == "unreadable" else "")
    with fault(), start(run_dir, "STEPS=6", before=before) as run:
        outcomes = run.wait()
        assert statuses(outcomes) == [0, 0]
        for outcome in outcomes.values():
            assert "checkpoint 6 is unusable" in outcome.output
        assert "after step 4." in outcomes[0].output
        assert (run_dir / "checkpoints_quarantined" / "6-0").is_dir()
        assert (run_dir / "steps.jsonl").read_text() == steps
