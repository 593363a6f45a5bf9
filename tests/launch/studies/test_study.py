"""`sightline study`: runs that are equal in tokens, are resumed, and fail loudly."""

import contextlib
import functools
import json
import os
import queue
import types

import numpy as np
import pytest

from sightline.diagnosis.probes.asking.forms import going_on
from sightline.diagnosis.results import records
from sightline.diagnosis.scores.score import Score
from sightline.launch.cli import main
from sightline.launch.configuration.study import read_study
from sightline.launch.studies import (
    jobs as jobs_module,
    run as run_module,
    study_batches,
)
from sightline.launch.studies.jobs import Job, News, jobs, work
from sightline.objectives.errors import UsageError

pytestmark = pytest.mark.unchecked

SMALL = [
    "study.tokens=3000",
    "study.points=2",
    "study.seeds=(0,)",
    "study.mixes={'incumbent': 'incumbent.gin', 'causal': 'causal'}",
    "study.documents=20",
    "study.fitted=20",
    "study.held_out=1",
    "ModelConfig.d_model=16",
    "ModelConfig.head_dim=8",
    "ModelConfig.d_hidden=16",
    "ModelConfig.layers=1",
    "study.batch_rows=8",
    "warmup_cosine.warmup_steps=1",
    "policies.train_documents=60",
    "policies.validation_documents=20",
]


def small(*more):
    return read_study(["three_failures.gin"], [*SMALL, *more])


def prepare(subject, given):
    """A probe of one text: real probes have tests of their own."""
    text = subject.vocab.encode(given.tested[0])[:40]

    def probe(subject):
        (asked,) = going_on("causal", text[:20], text[20:], subject.vocab.special_ids)
        (answer,) = subject.score([asked])
        value = float(answer.mean())
        return [
            Score(
                failure="drift",
                probe="minimal pairs",
                kind="all",
                metric="accuracy",
                value=value,
                low=value,
                high=value,
                chance=0.5,
                better="higher",
                mode=subject.mode,
                trained=subject.trains(subject.mode),
                baselines={},
                items=1,
                documents=20,
            )
        ]

    return probe


@pytest.fixture(scope="module")
def one_probe():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "PROBES", {"drift": {"one": prepare}})
        patch.setattr(study_batches, "SAMPLE", 2)
        yield


@pytest.fixture(scope="module")
def compiled(one_probe):
    return run_module.StudyResources(small())


@pytest.fixture(scope="module")
def found(compiled):
    return {
        mix: list(run_module.run(compiled, mix, seed=0)) for mix in compiled.study.mixes
    }


@pytest.mark.parametrize("file", ["three_failures.gin", "python_docs.gin"])
def test_every_mix_of_a_shipped_study_can_be_trained(file):
    study = read_study([f"studies/{file}"], ())
    for name in study.mixes:
        mixture = study.mixture(name)
        assert mixture.name == name and mixture.vocabulary == study.vocabulary
        tasks = mixture.positive_rates()
        assert {task.partition(".")[0] for task in tasks} == {study.corpus}


def test_settings_of_the_study_reach_its_mixes():
    study = read_study(["three_failures.gin"], ())
    assert all(study.mixture(m).corpus("policies").wordings == 3 for m in study.mixes)
    pairs = study.mixture("sentence_pair").objective("sentence_pair")
    assert pairs.settings["max_tokens"] == 40


def test_runs_are_measured_at_the_same_tokens(found):
    for mix, measured in found.items():
        assert [r.mix for r in measured] == [mix] * 2
        for point, record in enumerate(measured, start=1):
            # A point is the end of the batch in which its tokens were reached.
            assert 0 <= record.tokens - 1500 * point < 8 * 128
            assert set(record.losses) == {"masked", "permuted"}
            assert record.scores[0].probe == "minimal pairs"
            assert np.isfinite(record.scores[0].value)
    modes = {mix: r[0].scores[0].mode for mix, r in found.items()}
    assert modes == {"incumbent": "permuted", "causal": "causal"}


def test_a_run_is_a_function_of_mix_and_seed(compiled, found):
    first = found["causal"][0]
    assert next(run_module.run(compiled, "causal", seed=0)) == first
    other = next(run_module.run(compiled, "causal", seed=1))
    assert other.scores != first.scores and other.losses != first.losses


def test_what_is_done_is_not_run_again(tmp_path):
    every = jobs(["a", "b"], [0, 1], tmp_path)
    assert every == [Job("a", 0), Job("b", 0), Job("a", 1), Job("b", 1)]
    records.write(Job("b", 0).path(tmp_path), [])
    assert jobs(["a", "b"], [0, 1], tmp_path) == [every[0], *every[2:]]


def run_worker(monkeypatch, folder, todo):
    """Runs a worker in this process, on whatever cores it has."""
    monkeypatch.setattr(jobs_module, "_end_with_parent", lambda: None)
    monkeypatch.setattr(jobs_module.os, "sched_setaffinity", lambda *_: None)
    waiting, told = iter(todo), queue.Queue()
    # A worker waits for more jobs until it is stopped: here, when there are none.
    source = types.SimpleNamespace(get=lambda: next(waiting))
    with contextlib.suppress(StopIteration):
        jobs_module._worker(source, told, folder, small, core=0, modules=())
    return [told.get_nowait() for _ in range(told.qsize())]


def test_a_worker_writes_what_it_measured(monkeypatch, tmp_path, compiled, found):
    monkeypatch.setattr(run_module, "StudyResources", lambda study: compiled)
    news = run_worker(monkeypatch, tmp_path, [Job("causal", 0)])
    assert news[-1] == News(Job("causal", 0), None)
    assert records.read(tmp_path / "causal-0.json") == found["causal"]


def test_a_worker_says_what_went_wrong_and_writes_nothing(monkeypatch, tmp_path):
    def fail(study):
        raise RuntimeError("no such luck")

    monkeypatch.setattr(run_module, "StudyResources", fail)
    (news,) = run_worker(monkeypatch, tmp_path, [Job("causal", 0), Job("causal", 1)])
    assert news.job == Job("causal", 0) and "no such luck" in str(news.error)
    assert not list(tmp_path.iterdir())


def leave(status, todo, *_, **__):
    """A worker that takes a job and ends without a word."""
    todo.get()
    os._exit(status)


@pytest.mark.parametrize("status", [0, 1, 9])
def test_a_worker_that_ends_with_runs_left_ends_the_study(
    monkeypatch, tmp_path, status
):
    monkeypatch.setattr(jobs_module, "_worker", functools.partial(leave, status))
    news = work([Job("x", 0), Job("y", 0)], tmp_path, read=read_none, workers=2)
    with pytest.raises(RuntimeError, match=f"exit status {status} and 2 runs left"):
        list(news)


@pytest.mark.parametrize("workers", [0, -1])
def test_a_study_needs_a_worker(tmp_path, workers):
    with pytest.raises(UsageError, match=f"--workers is {workers}"):
        list(work([Job("x", 0)], tmp_path, read=read_none, workers=workers))


def test_a_platform_without_cpu_affinity(monkeypatch, tmp_path):
    monkeypatch.delattr(jobs_module.os, "sched_getaffinity", raising=False)
    assert jobs_module._cores() == []
    told = work([Job("x", 0)], tmp_path, read=read_none, workers=1)
    with pytest.raises(RuntimeError, match="mix 'x' with seed 0 failed"):
        list(told)


read_none = functools.partial(read_study, ["none.gin"], ())


def test_a_worker_that_dies_ends_the_study(tmp_path):
    # A file that cannot be read: the process says so, and this one raises.
    told = work([Job("x", 0)], tmp_path, read=read_none, workers=1)
    with pytest.raises(RuntimeError, match="mix 'x' with seed 0 failed"):
        list(told)


def test_the_command_goes_on_and_writes_what_came_out(
    monkeypatch, tmp_path, capsys, found
):
    done = []

    def work_here(waiting, folder, **_):
        for job in waiting:
            done.append(job)
            records.write(job.path(folder), found[job.mix])
            yield News(job, 100)
            yield News(job, None)

    monkeypatch.setattr("sightline.launch.commands.study.work", work_here)
    command = ["study", "--gin_file=three_failures.gin", f"--out={tmp_path / 'out'}"]
    command += [f"--gin.{binding}" for binding in SMALL]
    assert main(command) == 0
    assert done == [Job("incumbent", 0), Job("causal", 0)]
    assert "causal, seed 0: done" in capsys.readouterr().err
    table = (tmp_path / "out" / "table.md").read_text()
    assert "| `causal` | 1 |" in table
    effects = json.loads((tmp_path / "out" / "effects.json").read_text())
    assert effects["mixes"]["causal"]["rates"] == {"causal": 1.0}
    assert main(command) == 0 and len(done) == 2

    assert main([*command, "--gin.study.tokens=4000"]) == 2
    assert "holds a run of another config" in capsys.readouterr().err


def test_a_mix_whose_file_changed_is_not_gone_on_with(
    monkeypatch, tmp_path, capsys, found
):
    def work_here(waiting, folder, **_):
        for job in waiting:
            records.write(job.path(folder), found[job.mix])
            yield News(job, None)

    monkeypatch.setattr("sightline.launch.commands.study.work", work_here)
    mine = tmp_path / "mine.gin"
    head = "Mixture.name = 'mine'\nMixture.vocabulary = 'policies'\n"
    mine.write_text(f"{head}Mixture.rates = {{'policies.causal': 1}}\n")
    command = ["study", "--gin_file=three_failures.gin", f"--out={tmp_path / 'out'}"]
    command += [f"--gin.{binding}" for binding in SMALL]
    mixes = {"incumbent": "incumbent.gin", "causal": str(mine)}
    command.append(f"--gin.study.mixes={mixes}")
    assert main(command) == main(command) == 0
    rates = "{'policies.causal': 9, 'policies.masked': 1}"
    mine.write_text(f"{head}Mixture.rates = {rates}\n")
    assert main(command) == 2
    told = capsys.readouterr().err
    assert '-# mix causal [{"causal": 1' in told and "masked" in told


@pytest.mark.parametrize(
    ("binding", "message"),
    [
        ("study.incumbent='incumbnet'", "did you mean 'incumbent'"),
        ("study.seeds=()", "study.seeds is empty"),
        ("study.points=0", "study.points is 0"),
        ("study.mixes={'incumbent': 'causl'}", "did you mean 'causal'"),
        ("study.mixes={'incumbent': 'nothere.gin'}", "nothere.gin"),
        ("study.corpus='policys'", "did you mean 'policies'"),
    ],
)
def test_a_wrong_study_is_refused_before_anything_runs(
    binding, message, tmp_path, capsys
):
    command = ["study", "--gin_file=three_failures.gin", f"--out={tmp_path / 'out'}"]
    assert main([*command, f"--gin.{binding}"]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
