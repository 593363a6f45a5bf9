"""Status and report of runs whose files are written by the run's own writers."""

import contextlib
import io
import itertools
import json
import math
import os
import time

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from rich.console import Console

from sightline.launch.cli import main
from sightline.launch.pods.watch import charts
from sightline.launch.pods.watch.page import page
from sightline.launch.pods.watch.reading import Skip, read_run
from sightline.launch.pods.watch.table import age, status_tables
from sightline.launch.pods.watch.utilisation import Utilisation, step_seconds
from sightline.launch.runs.goodput import Goodput
from sightline.launch.runs.lease import hold
from sightline.launch.runs.metrics import MetricsWriter
from sightline.launch.runs.trace import Step, StepTrace
from sightline.objectives.errors import UsageError

CONFIG = """\
# vocabulary sha256 1
train.steps = 40
train.batch_rows = 8
Mixture.name = 'a<b>'
Mixture.rates = {'text.causal': 0.5,
 'text.masked': 0.5}
"""


@pytest.fixture
def run_dir(tmp_path):
    """Thirty steps on two hosts: one skip, one spike, one kill."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.gin").write_text(CONFIG)
    with MetricsWriter(folder) as writer:
        for step in (10, 20, 30):
            losses = {"train/loss": 3.0, "train/causal/loss": 60 / step}
            losses |= {"train/x64/masked/loss": float("nan")}
            speed = {"tokens_per_second": 1000.0 * step, "data_wait": 0.25}
            writer.write(step, losses | speed)
        held_out = {"eval/text.causal/loss": 9.0, "eval/causal/loss": 2.25}
        writer.write(30, held_out | {"eval/causal/baseline": 2.5})
    with StepTrace(folder, resume_step=0) as trace:
        for step in range(1, 31):
            reason = {7: "not finite", 25: "spike"}.get(step)
            trace.write(step, Step(60 / step, 1.0, reason))
    for host in (0, 1):
        clock = itertools.count(1000.0, 10.0).__next__
        times = {"clock": clock, "wall": lambda: 1000.0, "age": 0.0, "period": 0.0}
        with Goodput(folder, host=host, **times) as first:
            first.at_step(0)
            first.enter("compute")
            first.at_step(30)
    return folder


def shown(run, used=None, **settings):
    console = Console(width=100, record=True, file=open(os.devnull, "w"))
    with console.file:
        console.print(status_tables(run, used, **settings))
    return console.export_text()


def test_what_is_read(run_dir):
    run = read_run(str(run_dir))
    assert (run.step, run.total, run.state) == (30, 40, "stopped")
    assert run.train["causal"] == [(10, 6.0), (20, 3.0), (30, 2.0)]
    assert set(run.train) == {"", "causal", "x64/masked"}
    assert run.held_out == {"causal": [(30, 2.25)]}
    assert run.baselines == {"causal": 2.5}
    assert run.skips == [
        Skip(7, "not finite", range(48, 56)),
        Skip(25, "spike", range(192, 200)),
    ]
    assert [host.number for host in run.hosts] == [0, 1]
    assert run.settings["Mixture.rates"].endswith("'text.masked': 0.5}")


def test_what_the_terminal_shows(run_dir):
    text = " ".join(shown(read_run(str(run_dir))).split())
    for words in (
        *("stopped, step 30 of 40 (75.0%)", "30,000 tokens/s, 25.0% of it waiting"),
        *("step 25: spike, rows 192 to 199", "2.2500", "+0.2500", "x64/masked"),
        *("checkpoints: none yet", "Where the time went", "MFU: give --topology"),
    ):
        assert words in text
    used = Utilisation(operations=1e12, seconds=0.5, peak=8e12)
    assert "MFU 25.0%" in shown(read_run(str(run_dir)), used)


def test_a_run_that_recorded_no_waits_is_shown(run_dir):
    run = read_run(str(run_dir))._replace(data_wait=[])
    assert "30,000 tokens/s\n" in shown(run)


def test_rows_after_going_back(run_dir):
    """Going back from step 20 to 10 with batch 21 next: step 25 read batch 35."""
    line = [20, 10, [20, {}, "digest"]]
    (run_dir / "rollbacks.jsonl").write_text(json.dumps(line) + "\n")
    run = read_run(str(run_dir))
    assert run.skips[0].rows == range(48, 56)
    assert run.skips[1].rows == range(34 * 8, 35 * 8)
    assert "went back from step 20 to step 10" in shown(run)


def test_whether_it_runs(run_dir):
    lease = hold(run_dir)
    try:
        run = read_run(str(run_dir))
        assert run.state == "running"
        assert f"held by process {os.getpid()}" in shown(run)
    finally:
        lease.release()
    assert read_run(str(run_dir)).state == "stopped"


@pytest.mark.parametrize(
    ("change", "seconds", "state"),
    [
        ({"pid": 2**22 + 1}, 5, "killed"),  # of this machine: no such process
        ({"machine": "another"}, 5, "running"),
        ({"machine": "another"}, 600, "killed"),
        ({"folder": 1}, 5, "killed"),  # it came with a copy of the folder
    ],
)
def test_leases_of_others(run_dir, change, seconds, state):
    from sightline.launch.runs.lease import own_holder

    holder = own_holder(run_dir)._replace(**change)
    path = run_dir / "lease"
    path.write_text(json.dumps(holder))
    os.utime(path, (time.time() - seconds,) * 2)
    run = read_run(str(run_dir))
    assert run.state == state
    assert ("rerun the same command" in shown(run)) == (state == "killed")


def test_the_page_is_one_file_and_the_same_each_time(run_dir):
    run = read_run(str(run_dir))
    text = page(run, None, now=1e9)
    assert text == page(run, None, now=1e9)
    assert "http" not in text and "src=" not in text and "<script" not in text
    assert text.count("<svg") == 3
    assert "a&lt;b&gt;" in text and "a<b>" not in text
    for words in ("stopped", "Step 30 of 40", "spike, rows 192 to 199", "2.2500"):
        assert words in text


def test_a_run_that_has_just_begun(tmp_path):
    (tmp_path / "config.gin").write_text(CONFIG)
    run = read_run(str(tmp_path))
    assert (run.step, run.state) == (0, "stopped")
    assert "step 0 of 40" in shown(run)
    assert "No record of metrics yet" in page(run, None)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metrics.jsonl", "{}\n{}\n"),
        ("steps.jsonl", "nonsense\n{}\n"),
        ("goodput.jsonl", "nonsense\n"),
        ("goodput.jsonl", '{"other": 1}\n'),
        ("goodput.jsonl", '{"until": NaN, "seconds": {}}\n'),
        ("metrics.jsonl", '{"step": 70, "train/loss": null}\n'),
        ("metrics.jsonl", '{"step": 70, "eval/x/loss": "abc"}\n'),
        ("metrics.jsonl", '{"step": 70, "eval/x/baseline": []}\n'),
        ("metrics.jsonl", f'{{"step": 70, "data_wait": {10**400}}}\n'),
        ("steps.jsonl", '{"step": Infinity, "loss": 1, "grad_norm": 1}\n'),
        pytest.param("changes.jsonl", "[" * 100_000 + "\n", id="too deep"),
        ("rollbacks.jsonl", "[1]\n"),
        ("changes.jsonl", "{\n"),
        ("config.gin", "nonsense"),
        ("config.gin", CONFIG.replace("40", "0")),
        ("config.gin", CONFIG.replace("8", "0")),
    ],
)
def test_damaged_files_are_named(run_dir, name, text):
    (run_dir / name).write_text(text)
    with pytest.raises(UsageError, match=name.replace(".", r"\.")):
        read_run(str(run_dir))


DAMAGE = (
    *(None, True, -1, 0, 1.5, 10**30, 10**400, math.nan, math.inf),
    *("", "abc", "\ud800", "[/x]", [], [1, 2], {}, {"a": 1}),
)


def damaged(value, draw):
    """A value of JSON with something else in one place."""
    if not isinstance(value, dict | list) or not value:
        return draw(st.sampled_from(DAMAGE))
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = draw(st.sampled_from(keys))
    if isinstance(value, dict) and draw(st.booleans()):
        name = draw(st.sampled_from(("train/[/x]/loss", "eval/\ud800/loss", "begin")))
        return {name if k == key else k: v for k, v in value.items()}
    changed = value.copy()
    changed[key] = damaged(value[key], draw)
    return changed


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_any_damage_is_named_or_shown(run_dir, data):
    path = data.draw(st.sampled_from(sorted(run_dir.glob("*.jsonl"))))
    before = path.read_text()
    lines = before.splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at] = json.dumps(damaged(json.loads(lines[at]), data.draw))
    path.write_text("\n".join(lines) + "\n")
    try:
        with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8")):
            status = main(["status", str(run_dir)])
    finally:
        path.write_text(before)
    assert status in (0, 2)


def test_a_folder_whose_name_is_no_unicode(run_dir, tmp_path, capsys):
    folder = run_dir.rename(os.fsdecode(os.fsencode(tmp_path) + b"/q\xff"))
    assert main(["status", str(folder)]) == 0
    # The name of the folder may be too long for a line.
    assert r"q\udcff: stopped" in " ".join(capsys.readouterr().out.split())
    assert main(["report", str(folder), f"--out={tmp_path / 'a.html'}"]) == 0
    assert "/q?" in (tmp_path / "a.html").read_text("utf-8")


def test_torn_last_lines_are_those_of_a_running_run(run_dir):
    for name in ("metrics.jsonl", "steps.jsonl", "goodput.jsonl"):
        with (run_dir / name).open("a") as file:
            file.write('{"step": 31, "los')
    assert read_run(str(run_dir)).step == 30


@pytest.mark.parametrize("command", ["status", "report"])
def test_no_run(command, tmp_path, capsys):
    assert main([command, str(tmp_path / "none")]) == 2
    assert "holds no run" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_into_the_run(run_dir, tmp_path, capsys):
    before = {path: path.stat().st_mtime_ns for path in run_dir.rglob("*")}
    assert main(["status", str(run_dir)]) == 0
    assert main(["report", str(run_dir), f"--out={tmp_path / 'a.html'}"]) == 0
    assert {path: path.stat().st_mtime_ns for path in run_dir.rglob("*")} == before
    assert (tmp_path / "a.html").stat().st_size > 10_000
    assert "step 30 of 40" in capsys.readouterr().out


def test_peaks(run_dir, capsys):
    both = ["--topology=v5p-8", "--peak_flops=1"]
    assert main(["status", str(run_dir), *both]) == 2
    assert main(["status", str(run_dir), "--topology=cpu-8"]) == 2
    assert "no published peak" in capsys.readouterr().err


def test_seconds_of_a_step(run_dir):
    # The clock goes ten seconds at each look: one of them is the thirty steps'.
    assert step_seconds(run_dir) == pytest.approx(10 / 30)


def test_long_lines_are_thinned():
    steps, values = charts._points([(i, float(i)) for i in range(1, 10_001)])
    assert len(steps) <= charts.MOST_POINTS
    assert steps[-1] == 10_000
    assert values[0] == pytest.approx(13.0)  # the mean of 1 … 25


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1.0, "0 s"), (90.0, "90 s"), (150.0, "2.5 min"), (9000.0, "2.5 h")],
)
def test_ages(seconds, words):
    assert age(seconds) == f"{words} ago"
