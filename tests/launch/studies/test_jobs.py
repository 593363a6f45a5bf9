"""Which runs of a study are done and which can begin, by what is on disk of them."""

import pytest

from sightline.diagnosis.results import records
from sightline.diagnosis.results.records import Record
from sightline.launch.studies.jobs import Jobs
from sightline.launch.studies.store import Store

from .conftest import read_adapted, read_small

pytestmark = pytest.mark.unchecked


class Folder:
    """A study's folder, written to as runs would."""

    def __init__(self, path, study):
        self.store = Store(path)
        self.jobs = Jobs(study, self.store, own_share=1.0)

    def __getitem__(self, name):
        return self.jobs.runs[name]

    def keep(self, name, *points):
        """Checkpoints of a run."""
        for tokens in points:
            folder = self.store.run(self[name]) / "points" / str(tokens)
            (folder / "checkpoints" / "7").mkdir(parents=True)

    def measure(self, name, *points, plan=None):
        for tokens in points:
            run = self[name]
            path = self.store.record(run, tokens)
            path.parent.mkdir(parents=True, exist_ok=True)
            plan = plan or self.jobs.study.plan_digest()
            found = Record(run.arm.name, run.seed, tokens, {}, (), plan=plan)
            records.write(path, [found])

    def those(self, ask):
        return {name for name, run in self.jobs.runs.items() if ask(run)}


BASE = 12_000
"""Tokens of the base of an adaptation, and of its longest branches."""


@pytest.fixture
def adapted(tmp_path):
    """A base, and two branches of two lengths whose beginning is shared."""
    return Folder(tmp_path, read_adapted())


def test_every_seed_of_a_mix_comes_before_the_next_mix(tmp_path):
    folder = Folder(tmp_path, read_small("study.seeds=(4, 1)"))
    assert list(folder.jobs.runs) == [
        *("incumbent-4", "incumbent-1"),
        *("causal-4", "causal-1"),
    ]
    assert folder.those(folder.jobs.is_ready) == set(folder.jobs.runs)
    assert folder["causal-1"].kept == folder["causal-1"].measured == (3000, 6000)


def test_branches_begin_with_their_base_and_shorter_ones_with_a_fork(
    adapted,
):
    jobs = adapted.jobs
    assert adapted.those(jobs.is_ready) == {"base-0"}
    adapted.keep("base-0", BASE)
    longest = {"base-0", "incumbent-0", "revised-0"}
    assert adapted.those(jobs.is_ready) == longest
    shorter = adapted["revised-0-at-6000"]
    assert 0 < shorter.fork < 6000
    adapted.keep("revised-0", shorter.fork)
    assert adapted.those(jobs.is_ready) == {*longest, shorter.name}


def test_a_run_is_done_when_each_of_its_points_is_measured(adapted):
    jobs, run = adapted.jobs, adapted["incumbent-0"]
    assert run.measured == (BASE,) and jobs.unmeasured(run) == [BASE]
    assert not jobs.is_trained(run) and not jobs.is_done(run)
    adapted.keep("incumbent-0", BASE)
    assert not jobs.is_trained(run)  # the shorter one is still to begin with a fork
    adapted.keep("incumbent-0", *run.forks)
    assert jobs.is_trained(run) and not jobs.is_done(run)
    adapted.measure("incumbent-0", BASE)
    assert jobs.is_done(run)


def test_a_measurement_of_another_plan_is_none(adapted):
    run = adapted["incumbent-0"]
    adapted.keep("incumbent-0", BASE, *run.forks)
    adapted.measure("incumbent-0", BASE, plan="another")
    assert adapted.jobs.unmeasured(run) == [BASE] and not adapted.jobs.is_done(run)
    assert adapted.store.measured(run, BASE, plan="another") is not None


def test_a_checkpoint_is_wanted_as_long_as_another_run_is_to_begin_with_it(adapted):
    """Measured and gone, it is trained again for the sake of those."""
    jobs = adapted.jobs
    adapted.measure("base-0", BASE)
    assert not jobs.is_trained(adapted["base-0"])
    assert [run.name for run in jobs.trained_again()] == ["base-0"]
    for name in ("incumbent-0", "revised-0"):
        adapted.measure(name, BASE)
        # The shorter one still needs the fork.
        assert not jobs.is_trained(adapted[name])
        adapted.measure(f"{name}-at-6000", 6000)
        assert jobs.is_done(adapted[name])
    assert jobs.is_done(adapted["base-0"]) and jobs.trained_again() == []


def test_what_was_never_measured_is_not_trained_again_but_for_the_first_time(adapted):
    assert adapted.jobs.trained_again() == []
    adapted.measure("incumbent-0", BASE, plan="another")
    again = adapted.jobs.trained_again()
    assert [run.name for run in again] == ["incumbent-0"]


def test_points_that_others_begin_with_are_needed(adapted):
    fork = adapted["incumbent-0-at-6000"].fork
    assert adapted.jobs.needed(adapted["base-0"]) == {BASE}
    assert adapted.jobs.needed(adapted["incumbent-0"]) == {fork}
    assert adapted.jobs.needed(adapted["incumbent-0-at-6000"]) == set()


def test_a_branch_is_of_the_base_of_its_seed(tmp_path):
    folder = Folder(tmp_path, read_adapted("study.seeds=(0, 1)"))
    folder.keep("base-1", BASE)
    ready = folder.those(folder.jobs.is_ready)
    assert ready == {"base-0", "base-1", "incumbent-1", "revised-1"}
    folder.measure("base-0", BASE)
    for name in ("incumbent-0", "revised-0"):
        folder.measure(name, BASE)
        folder.measure(f"{name}-at-6000", 6000)
    # Those of seed 1 are still to begin, with a base of their own.
    assert folder.jobs.is_trained(folder["base-0"])


def test_files_of_a_run_lie_under_its_name(adapted):
    store, shorter = adapted.store, adapted["revised-0-at-6000"]
    assert store.run(shorter).name == "revised-0-at-6000"
    assert store.longest(shorter) == store.run(adapted["revised-0"])
    assert store.record(shorter, 6000).name == "revised-0-6000.json"


def test_one_point_is_dropped_and_the_newest_state_when_a_run_ends(adapted):
    store, run = adapted.store, adapted["incumbent-0"]
    adapted.keep("incumbent-0", 5000, BASE)
    (store.run(run) / "checkpoints" / "3").mkdir(parents=True)
    store.drop(run, 5000)
    store.drop(run, 4000)  # of what is not there, nothing
    assert [path.name for path in (store.run(run) / "points").iterdir()] == [str(BASE)]
    store.finish(run)
    assert [path.name for path in store.run(run).iterdir()] == ["points"]
