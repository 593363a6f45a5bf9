"""What the terminal and the page say of a run's past: origin, checkpoints, faults."""

import pytest

from sightline.launch.pods.watch.reading import Host, RunStatus, Skip, value_of
from sightline.launch.pods.watch.table import (
    checkpoint_line,
    facts,
    host_rows,
    incidents,
    loss_table,
)
from sightline.launch.runs.changes import Changed
from sightline.launch.runs.goodput import Summary
from sightline.launch.runs.run_identity import Change, Origin
from sightline.launch.terminal.goodput import MEANING
from sightline.launch.training.data import DataPlace
from sightline.launch.training.rollback import Rollback


def host(number, step, *, time=1000.0, stacks=False):
    seconds = dict.fromkeys(MEANING, 0.0) | {"compute": 30.0, "lost": 10.0}
    return Host(number, Summary(seconds, 40.0, 1200, 0), time, step, stacks)


@pytest.fixture
def run(tmp_path):
    """A run that has written nothing but its config."""
    nothing = {name: () for name in RunStatus._fields}
    dicts = {key: {} for key in ("train", "held_out", "baselines", "checkpoints")}
    lists = ("steps", "skips", "speed", "data_wait", "hosts", "quarantined")
    lists += ("rollbacks", "changes")
    settings = {"train.steps": "40", "train.batch_rows": "8"}
    return RunStatus(
        **nothing
        | dicts
        | {name: [] for name in lists}
        | {"folder": tmp_path, "settings": settings, "origin": None, "holding": None}
    )


def test_how_far_a_run_is_is_the_furthest_that_any_file_says(run):
    """Files are written one after another, and a kill comes between."""
    assert run.step == 0
    assert run._replace(steps=[(1, 2.0), (7, 1.5)]).step == 7
    hosts = [host(0, None), host(1, 9)]
    assert run._replace(hosts=hosts).step == 9
    assert run._replace(hosts=hosts, steps=[(12, 1.0)]).step == 12
    assert (run.state, run._replace(hosts=[host(0, 40)]).state) == ("stopped", "done")


def test_a_run_that_began_with_another_says_with_which(run):
    origin = Origin("runs/old", 12_000, "0123456789abcdef")
    assert "started from runs/old at step 12,000 (parameters sha256 0123456789ab…)" in (
        facts(run._replace(origin=origin), None)
    )


def test_only_sound_checkpoints_are_offered(run):
    damaged = {1000: None, 2000: "the manifest is torn", 3000: None}
    found = run._replace(checkpoints=damaged, quarantined=["4-damaged", "5"])
    assert checkpoint_line(found).startswith("checkpoints: 1,000, 3,000 (")
    assert list(incidents(found)) == [
        "checkpoint 2,000 is unusable: the manifest is torn",
        "checkpoints put aside as damaged: 4-damaged, 5",
    ]
    nothing = run._replace(checkpoints={2000: "torn"})
    assert checkpoint_line(nothing).startswith("checkpoints: none is sound")
    assert checkpoint_line(run) == "checkpoints: none yet"


def test_what_went_wrong_is_told_in_order(run):
    place = DataPlace(1, [0], "digest")
    skips = [Skip(n, "spike", range(8 * (n - 1), 8 * n)) for n in range(1001, 1008)]
    found = run._replace(
        skips=skips,
        rollbacks=[Rollback(1500, 1200, place)],
        changes=[Changed(1300, Change("adamw.b1", "0.9", None))],
        hosts=[host(0, 5), host(1, 5, stacks=True)],
    )
    assert list(incidents(found)) == [
        "7 update(s) skipped; the newest:",
        *(
            f"  step {n:,}: spike, rows {8 * (n - 1):,} to {8 * n - 1:,}"
            for n in range(1003, 1008)
        ),
        "went back from step 1,500 to step 1,200",
        "step 1,300: adamw.b1 0.9 → None",
        "host 1 made no progress: see stacks-1.txt",
    ]
    assert list(incidents(run)) == []


def test_losses_are_the_newest_and_gain_is_against_the_baseline(run):
    found = run._replace(
        train={"": [(1, 3.0)], "causal": [(1, 5.0), (2, 4.0)], "pair": [(2, 0.5)]},
        held_out={"causal": [(1, 3.5), (2, 2.25)], "span": [(2, 7.5)], "x": [(2, 1.0)]},
        baselines={"causal": 2.5, "span": 7.0, "pair": 1.0},
    )
    table = loss_table(found)
    columns = [list(column.cells) for column in table.columns]
    assert [tuple(map(str, row)) for row in zip(*columns, strict=True)] == [
        ("causal", "4.0000", "2.2500", "2.5000", "[green]+0.2500", "3.5000"),
        ("pair", "0.5000", "", "1.0000", "", ""),
        ("span", "", "7.5000", "7.0000", "[red]-0.5000", "7.5000"),
        ("x", "", "1.0000", "", "", "1.0000"),
        ("all, by loss shares", "3.0000", "", "", "", ""),
    ]


def test_hosts_are_told_with_the_age_of_their_last_line(run):
    found = run._replace(hosts=[host(0, 1234), host(3, None, time=1295.0)])
    assert host_rows(found, 1300.0) == [
        ("0", "1,234", "75.0%", "1,200", "5.0 min ago"),
        ("3", "", "75.0%", "1,200", "5 s ago"),
    ]


def test_a_setting_is_a_value_or_the_text_of_a_reference():
    settings = {"a": "{'b': (1, None)}", "c": "@adamw", "d": "3"}
    found = [value_of(settings, name) for name in settings]
    assert found == [{"b": (1, None)}, "@adamw", 3]
