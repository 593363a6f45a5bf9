"""Data made in other processes: the same, and never a hang or an orphan."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.examples.task_windows import WHOLE
from sightline.tasks.streaming.batches import flattened, streamed, unflattened
from sightline.tasks.streaming.chunks import Plan
from sightline.tasks.streaming.processes import DataProcessError, Team
from sightline.tasks.streaming.row_stream import start_of

pytestmark = pytest.mark.unchecked

SMALL = {"train_documents": 6, "validation_documents": 3, "most_sections": 5}


def digest(batch):
    return hash(b"".join(array.tobytes() for array in jax.tree.leaves(batch)))


def make_plan(rows=None, corpus="policies", **settings):
    rates = {f"{corpus}.causal": 2, f"{corpus}.masked": 1}
    mixture = Mixture("m", rates, vocabulary="policies", settings=settings)
    rows = rows or decoder_rows(slots=48, predictions=40)
    return Plan(mixture, rows, 4, 3, WHOLE)


@pytest.fixture
def plan():
    return make_plan(policies=SMALL)


def processes_of(pid: int) -> list[int]:
    """The processes that make data for a process."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            words = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            command = (folder / "cmdline").read_bytes()
        except (OSError, IndexError):
            continue
        if int(words[1]) == pid and b"spawn_main" in command and words[0] != "Z":
            found.append(int(folder.name))
    return found


def gone(pids, seconds=10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.02)
    return False


def test_any_number_of_processes_gives_the_same_batches(plan):
    found = []
    for processes in (0, 1):
        stream = streamed(plan, start_of(plan), processes=processes)
        batches = list(itertools.islice(stream, 60))
        found.append([(digest(batch), position) for batch, position in batches])
        stream.close()
    assert found[0] == found[1]
    # Midway, with Examples in open rows that are made again by the makers.
    resumed = streamed(plan, found[0][20][1], processes=3)
    again = [(digest(b), p) for b, p in itertools.islice(resumed, 40)]
    assert again == found[0][20:]
    resumed.close()
    assert not processes_of(os.getpid())


@pytest.mark.parametrize("victim", [0, 1])
def test_a_process_that_is_killed_is_an_error_at_once(plan, victim):
    before = set(processes_of(os.getpid()))
    stream = streamed(plan, start_of(plan), processes=2)
    next(stream)
    pids = sorted(set(processes_of(os.getpid())) - before)
    assert len(pids) == 2
    os.kill(pids[victim], signal.SIGKILL)
    began = time.monotonic()
    with pytest.raises(DataProcessError, match=r"pid \d+\).*was killed by SIGKILL"):
        for _ in stream:
            pass
    assert time.monotonic() - began < 10
    assert gone(pids)


def test_the_process_that_failed_is_named_not_one_that_ended_after_it():
    team = Team()
    team.start("followed", os.getpid)
    while not team._processes[0].exitcode == 0:
        time.sleep(0.01)
    team.start("failed", time.sleep, 60)
    threading.Timer(0.2, team._processes[1].kill).start()
    assert "'failed'" in str(team.ended()) and "SIGKILL" in str(team.ended())
    team.close()


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_is_raised_as_it_was_with_a_note(processes, tmp_path):
    (tmp_path / "a.txt").write_text("A text of one document. " * 40)
    (tmp_path / "b.txt").write_text("x")
    broken = make_plan(corpus="text", text={"folder": str(tmp_path / "missing")})
    stream = streamed(broken, start_of(broken), processes=processes)
    with pytest.raises(ValueError, match=r"text\.folder .* does not exist") as raised:
        next(stream)
    assert any("sightline-" in note for note in raised.value.__notes__)


def test_signals_to_the_group_reach_the_trainer_alone(plan):
    stream = streamed(plan, start_of(plan), processes=2)
    next(stream)
    for pid in processes_of(os.getpid()):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(pid, number)
    time.sleep(0.2)
    assert len(list(itertools.islice(stream, 400))) == 400
    stream.close()


TRAINER = """
import sys, time
from sightline.tasks.streaming.batches import streamed
from sightline.tasks.streaming.row_stream import start_of
from test_batches import SMALL, make_plan
if __name__ == "__main__":
    plan = make_plan(policies=SMALL)
    stream = streamed(plan, start_of(plan), processes=2)
    next(stream)
    print("running", flush=True)
    {end}
"""


@pytest.mark.parametrize("end", ["time.sleep(99)", "pass", "1 / 0", "next(stream)"])
def test_they_end_with_the_trainer_however_it_ends(end, tmp_path):
    script = tmp_path / "trainer.py"
    script.write_text(TRAINER.replace("{end}", end))
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    with subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as trainer:
        assert trainer.stdout.readline() == b"running\n"
        pids = processes_of(trainer.pid)
        if "sleep" in end:
            assert len(pids) == 2
            trainer.kill()
        assert trainer.wait(timeout=20) == {"1 / 0": 1, "time.sleep(99)": -9}.get(
            end, 0
        )
        assert gone(pids)


def test_closing_frees_a_thread_that_waits(plan):
    stream = streamed(plan, start_of(plan), processes=1)
    taken = []
    thread = threading.Thread(target=lambda: taken.extend(stream))
    thread.start()
    while not taken:
        time.sleep(0.01)
    stream.close()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    "rows",
    [
        decoder_rows(slots=48, predictions=40),
        encoder_decoder_rows(
            slots=24, predictions=20, memory_slots=48, memory_predictions=10
        ),
    ],
)
def test_a_batch_is_sent_whole(rows):
    plan = make_plan(rows, policies=SMALL)
    batch, _ = next(streamed(plan, start_of(plan), processes=0))
    found = unflattened(flattened(batch), plan)
    assert digest(found) == digest(batch)
    assert found.decoder.loss_weights.dtype == np.float32
    assert (found.encoder is None) == (batch.encoder is None)
