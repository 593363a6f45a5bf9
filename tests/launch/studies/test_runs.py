"""Runs of an arm: what they share, how they are resumed, what is kept of them."""

import itertools
import shutil

import numpy as np
import pytest

from sightline.launch.studies import run as run_module
from sightline.launch.studies.jobs import Doer
from sightline.launch.studies.run import train
from sightline.launch.studies.runs import learning_rates, runs, shared_tokens
from sightline.launch.studies.store import Store, has_point, read_point
from sightline.launch.training.schedules import (
    constant,
    warmup_cosine,
    warmup_stable_decay,
)

from .conftest import read_adapted, same_arrays

pytestmark = pytest.mark.unchecked


@pytest.fixture(scope="module")
def doer(one_probe, tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("study"))
    return Doer(read_adapted(), store, own_share=1.0)


@pytest.fixture(scope="module")
def base(doer):
    assert doer.do("base-0")
    return doer


def params(doer, run, tokens, store=None):
    folder = (store or doer.jobs.store).run(run)
    abstract = doer.resources.program.abstract_params
    return read_point(folder, tokens, abstract, prefix="params.").state.params


def test_a_base_then_a_run_a_length(doer):
    assert list(doer.jobs.arms) == ["base", "incumbent", "revised"]
    assert list(doer.jobs.runs) == [
        "base-0",
        *("incumbent-0", "incumbent-0-at-6000"),
        *("revised-0", "revised-0-at-6000"),
    ]
    ready = [name for name, r in doer.jobs.runs.items() if doer.jobs.is_ready(r)]
    assert ready == ["base-0"] or has_point(doer.jobs.store.of("base", 0), 12000)


@pytest.mark.parametrize(
    ("schedule", "shared"),
    [
        # Twelve batches and six.
        (lambda steps: constant(1.0, steps=steps), 6000),
        (lambda steps: warmup_cosine(1.0, warmup_steps=1, steps=steps), 2000),
        (
            lambda steps: warmup_stable_decay(
                1.0, warmup_steps=1, steps=steps, decay_steps=0.34
            ),
            5000,  # a decay of two steps begins with the peak
        ),
        (lambda steps: warmup_cosine(1.0, warmup_steps=0.5, steps=steps), 0),
    ],
)
def test_lengths_share_what_their_learning_rates_share(doer, schedule, shared):
    arm = doer.jobs.arms["incumbent"]._replace(schedule=schedule)
    rates = [learning_rates(arm, n, batch_tokens=1000) for n in arm.lengths]
    assert [len(r) for r in rates] == [6, 12]
    tokens = shared_tokens(arm, 6000, batch_tokens=1000)
    same = list(
        itertools.takewhile(bool, (a == b for a, b in zip(*rates, strict=False)))
    )
    assert tokens == 1000 * len(same) == shared
    longest, *shorter = runs(arm, 0, batch_tokens=1000)
    assert [run.fork for run in shorter] == [shared] * (shared < 6000)
    assert set(longest.kept) == {12000, *([shared] if shared else [])}


def test_a_shorter_length_is_what_it_would_be_alone(base, tmp_path):
    longest, shorter = (
        base.jobs.runs[name] for name in ("incumbent-0", "incumbent-0-at-6000")
    )
    assert shorter.fork and longest.forks == (shorter.fork,)
    assert train(base.resources, base.jobs.store, longest)
    assert train(base.resources, base.jobs.store, shorter)
    alone = Store(tmp_path)
    (alone.folder / "runs").mkdir()
    (alone.folder / "runs" / "base-0").symlink_to(base.jobs.store.of("base", 0))
    whole = shorter._replace(fork=0)
    assert train(base.resources, alone, whole)
    same_arrays(params(base, shorter, 6000), params(base, whole, 6000, alone))


def test_killed_and_stopped_runs_end_as_if_nothing_had_been(
    base, tmp_path, monkeypatch
):
    run = base.jobs.runs["revised-0"]
    store = base.jobs.store
    assert train(base.resources, store, run)

    other = Store(tmp_path)
    (other.folder / "runs").mkdir()
    (other.folder / "runs" / "base-0").symlink_to(store.of("base", 0))
    assert not train(base.resources, other, run, deadline=0.0)  # one step, saved
    calls = iter(range(2))
    step = base.resources.step

    def killed(*arguments):
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return step(*arguments)

    monkeypatch.setattr(run_module, "SAVE_EVERY", 0.0)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(base.resources, "step", killed)
        train(base.resources, other, run)
    assert train(base.resources, other, run)
    for point in run.kept:
        same_arrays(params(base, run, point), params(base, run, point, other))
    assert not (other.run(run) / "checkpoints").exists()


def test_a_branch_begins_with_its_base(base, monkeypatch):
    run = base.jobs.runs["incumbent-0"]
    state = run_module._begin(base.resources, base.jobs.store, run, NoCheckpoints())
    base_run = base.jobs.runs["base-0"]
    same_arrays(state.state.params, params(base, base_run, 12000))
    assert state.tokens == state.step == int(state.state.step) == 0
    fresh = base.resources.program.initial_state()
    same_arrays(state.state.opt_state, fresh.opt_state)


class NoCheckpoints:
    def restore(self, abstract):
        return None


def test_finished_work_is_not_done_again(base, monkeypatch):
    monkeypatch.setattr(base.resources, "step", None)  # would fail
    path = base.jobs.store.record(base.jobs.runs["base-0"], 12000)
    before = path.read_text()
    assert base.do("base-0") and path.read_text() == before


def test_other_measurements_are_made_of_kept_checkpoints(base, monkeypatch):
    run, store = base.jobs.runs["base-0"], base.jobs.store
    before = store.measured(run, 12000, plan=base.jobs.study.plan_digest())
    monkeypatch.setattr(base.resources, "step", None)  # nothing is trained
    again = Doer(read_adapted("study.documents=21"), store, own_share=1.0)
    assert again.jobs.unmeasured(run) == [12000] and again.jobs.is_trained(run)
    assert np.isfinite(before.learned["masked"].training)


def test_unkept_checkpoints_go_but_for_those_that_others_need(base, tmp_path):
    study = read_adapted("study.keep_checkpoints=False")
    store = Store(tmp_path)
    again = Doer(study, store, own_share=1.0)
    again.resources = base.resources
    for name in ("base-0", "incumbent-0", "incumbent-0-at-6000"):
        assert again.do(name), name
        assert again.jobs.is_done(again.jobs.runs[name])
    longest, shorter = (
        again.jobs.runs[name] for name in ("incumbent-0", "incumbent-0-at-6000")
    )
    assert has_point(store.of("base", 0), 12000)
    assert has_point(store.run(longest), shorter.fork)
    assert not has_point(store.run(longest), 12000)
    assert not has_point(store.run(shorter), 6000)


def test_runs_without_checkpoints_are_trained_again_to_be_measured(base, tmp_path):
    def doer(*bindings):
        study = read_adapted("study.keep_checkpoints=False", *bindings)
        found = Doer(study, Store(tmp_path), own_share=1.0)
        found.resources.__dict__ |= compiled
        return found

    compiled = {
        name: getattr(base.resources, name) for name in ("step", "eval_step", "probes")
    }
    names = ("base-0", "incumbent-0", "incumbent-0-at-6000")
    first = doer()
    for name in names:
        assert first.do(name)
    saved = (tmp_path / "records" / "incumbent-0-6000.json").read_text()
    shutil.rmtree(tmp_path / "runs" / "base-0")
    assert first.jobs.is_done(first.jobs.runs["incumbent-0"])

    again = doer("study.documents=21")
    assert [run.name for run in again.jobs.trained_again()] == list(names)
    ready = [n for n in names if again.jobs.is_ready(again.jobs.runs[n])]
    assert "incumbent-0" not in ready and "base-0" in ready
    for name in names:
        assert again.do(name) and again.jobs.is_done(again.jobs.runs[name])
    assert not again.jobs.trained_again()
    measured = (tmp_path / "records" / "incumbent-0-6000.json").read_text()
    plans = [each.jobs.study.plan_digest() for each in (again, first)]
    assert measured.replace(*plans) == saved  # trained to the same parameters
