"""Files of answers: interrupted anywhere, they end the same, byte for byte."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from sightline.launch.inference.answer_file import answer_file, read_job
from sightline.launch.inference.modes import MODES
from sightline.launch.inference.settings import Settings
from sightline.objectives.errors import UsageError

pytestmark = pytest.mark.unchecked

DRAWN = Settings(temperature=1.0, seed=5, max_tokens=5)
MODE = MODES["continue"]
ROWS = [{"prompt": f"Team {n} pays €{n}.", "id": n, "é": None} for n in range(21)]


def write_questions(path, rows=ROWS):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "\n")
    return path


def run_job(asked, source, out, settings=DRAWN, mode=MODE, progress=lambda *_: None):
    job = read_job(source, asked, mode, "causal", settings)
    return answer_file(job, out, asked, mode, "causal", settings, progress=progress)


@pytest.fixture(scope="module")
def whole(asked, tmp_path_factory):
    """Questions and their answers, made without interruption."""
    folder = tmp_path_factory.mktemp("whole")
    source = write_questions(folder / "in.jsonl")
    assert run_job(asked, source, folder / "out.jsonl") == 0
    return source, (folder / "out.jsonl").read_bytes()


def test_a_line_has_its_questions_keys_and_its_answer(whole):
    lines = [json.loads(line) for line in whole[1].splitlines()]
    assert [{**line, "answer": 0} for line in lines] == [
        {**row, "answer": 0} for row in ROWS
    ]
    assert {tuple(line["answer"]) for line in lines} == {
        ("form", "text", "tokens", "log_probability", "ended")
    }
    assert len({line["answer"]["text"] for line in lines}) > 15
    assert "é" in whole[1].decode()


@pytest.mark.parametrize("batches", [1, 2])
def test_an_interrupted_job_goes_on(asked, whole, tmp_path, batches):
    source, expected = whole
    out, calls = tmp_path / "out.jsonl", []

    def interrupt(rows, tokens):
        calls.append(rows)
        if len(calls) > batches:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_job(asked, source, out, progress=interrupt)
    assert out.read_bytes() == b"".join(expected.splitlines(True)[: 8 * batches])
    assert run_job(asked, source, out) == 8 * batches
    assert out.read_bytes() == expected


@pytest.mark.parametrize("kept", [0, 1, 100, 0.4, 0.99, -1])
def test_a_job_cut_at_any_byte_goes_on(asked, whole, tmp_path, kept):
    source, expected = whole
    out = tmp_path / "out.jsonl"
    run_job(asked, source, out)
    size = int(kept * len(expected)) if isinstance(kept, float) else kept
    out.write_bytes(expected[:size])
    done = run_job(asked, source, out)
    assert done == expected[:size].count(b"\n")
    assert out.read_bytes() == expected


def test_a_finished_job_is_left_as_it_is(asked, whole, tmp_path):
    source, expected = whole
    out = tmp_path / "out.jsonl"
    run_job(asked, source, out)
    assert run_job(asked, source, out) == len(ROWS)
    assert out.read_bytes() == expected


def test_an_output_of_another_job_is_refused_and_kept(asked, whole, tmp_path):
    source, expected = whole
    out = tmp_path / "out.jsonl"
    run_job(asked, source, out)
    other = Settings(temperature=1.0, seed=6, max_tokens=5)
    with pytest.raises(UsageError, match=r"another job.*settings\.seed: 5, now 6"):
        run_job(asked, source, out, settings=other)
    changed = write_questions(tmp_path / "in.jsonl", ROWS[::-1])
    with pytest.raises(UsageError, match=r"another job.*input\.sha256"):
        run_job(asked, changed, out)
    assert out.read_bytes() == expected

    beside = tmp_path / "out.jsonl.job.json"
    beside.rename(tmp_path / "away")
    with pytest.raises(UsageError, match=r"no out\.jsonl\.job\.json beside it"):
        run_job(asked, source, out)
    beside.write_text("{")
    with pytest.raises(UsageError, match="damaged"):
        run_job(asked, source, out)
    (tmp_path / "away").rename(beside)
    lines = expected.splitlines(True)
    out.write_bytes(b"".join([lines[1], *lines[1:]]))
    with pytest.raises(UsageError, match="line 1, answers another row"):
        run_job(asked, source, out)


def test_an_output_that_is_no_file_is_refused(asked, whole, tmp_path):
    source, _ = whole
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(os.devnull)
    for out in (pipe, link):
        with pytest.raises(UsageError, match="is a device or a pipe"):
            run_job(asked, source, out)
    assert {path.name for path in tmp_path.iterdir()} == {"pipe", "link"}


def test_two_writers_are_kept_apart(asked, whole, tmp_path):
    source, _ = whole
    out = tmp_path / "out.jsonl"

    def again(rows, tokens):
        with pytest.raises(UsageError, match="another process is writing"):
            run_job(asked, source, out)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_job(asked, source, out, progress=again)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"prompt": "a"', "line 2 is no JSON"),
        ("[1]", "line 2 is no JSON object"),
        ('{"text": "a"}', "line 2: the key 'prompt' is missing"),
        ('{"prompt": "a", "answer": 1}', "line 2 has a key 'answer'"),
        ('{"prompt": "a <eos>"}', "line 2: the text holds <eos>"),
        ('{"prompt": "%s"}' % ("word " * 200), "line 2: the prompt takes .* shorten"),
        (r'{"prompt": "\ud800"}', "line 2 is no JSON"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_written(asked, tmp_path, line, message):
    source = tmp_path / "in.jsonl"
    source.write_text('{"prompt": "fine"}\n' + line + "\n")
    with pytest.raises(UsageError, match=message):
        run_job(asked, source, tmp_path / "out.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_killed_process_goes_on(run, tmp_path):
    """The command itself, killed for good while it writes."""
    source = write_questions(tmp_path / "in.jsonl", ROWS * 4)
    command = [sys.executable, "-m", "sightline", "generate", str(run)]
    command += [f"--input={source}", "--temperature=1", "--max_tokens=4"]
    command += ["--batch_rows=4"]

    def start(name):
        return subprocess.Popen(
            [*command, f"--output={tmp_path / name}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "JAX_NUM_CPU_DEVICES": "1"},
        )

    killed = start("out.jsonl")
    while (
        not (tmp_path / "out.jsonl").exists()
        or not (tmp_path / "out.jsonl").stat().st_size
    ):
        assert killed.poll() is None, killed.stderr.read().decode()
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    before = (tmp_path / "out.jsonl").read_bytes().count(b"\n")
    assert 0 < before < len(ROWS) * 4
    for name in ("out.jsonl", "whole.jsonl"):
        process = start(name)
        _, errors = process.communicate()
        assert process.returncode == 0, errors.decode()
    assert (tmp_path / "out.jsonl").read_bytes() == (
        tmp_path / "whole.jsonl"
    ).read_bytes()
