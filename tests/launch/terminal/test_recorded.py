"""What a recording holds: counts that are short and right, and rows by group."""

import io

import hypothesis
import hypothesis.strategies as st
import pytest
from rich.console import Console

from sightline.launch.terminal.recorded import (
    compact,
    groups_table,
    recording_bar,
    serving_table,
    summary,
)
from sightline.tasks.recorded.manifest import GroupRows, Manifest, Shard
from sightline.tasks.recorded.serving import GroupFill, ServingCost

UNITS = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


@hypothesis.given(st.integers(0, 10**15))
@hypothesis.example(9_999)
@hypothesis.example(99_995)
@hypothesis.example(999_949)
@hypothesis.example(999_950_000)
@hypothesis.settings(max_examples=200)
def test_a_count_is_six_characters_and_right(count):
    text = compact(count)
    digits = text.rstrip("kMGT").replace(",", "")
    size = UNITS.get(text[-1], 1)
    # Five hundredths of the unit: the place that is shown, rounded.
    assert abs(float(digits) * size - count) <= 0.0501 * size * (size > 1)
    assert len(text) <= 6 or count >= 999.95e12


def group(name, split, *objectives, rows=100, without=0):
    shards = tuple(Shard(f"{name}-{n}", rows // 2, 2_000, "0", None) for n in range(2))
    examples, processed, supervised = (
        dict.fromkeys(objectives, n if rows else 0) for n in (300, 5_120, 1_280)
    )
    return GroupRows(
        *(name, split, rows, examples, processed, supervised, without, shards)
    )


@pytest.fixture
def manifest():
    groups = (
        group("a.causal", "train", "causal", without=12_345),
        group("mixed", "train", "causal", "masked", rows=200),
        group("a.causal", "validation", "causal", rows=0),
    )
    recipe = {
        "layout": "mixed",
        "rows": {"decoder": [64, 16], "encoder": [64, 8]},
        "seed": 7,
        "most_position": 64,
        "vocabulary": {"size": 1152, "sha256": "abc"},
        "identities": {"policies": "sha256 1"},
    }
    return Manifest(recipe, groups, gin="")


def test_rows_are_filled_over_both_streams(manifest, rows_of):
    """100 rows of 64 + 64 slots, of which 5,120 are filled: 40 %."""
    assert rows_of(groups_table(manifest)) == [
        ["a.causal", "100", "40.0%", "300", "5,120", "1,280"],
        ["  windows without an Example: 12.3k", *[""] * 5],
        ["mixed", "200", "40.0%", "", "", ""],
        ["  causal", "", "", "300", "5,120", "1,280"],
        ["  masked", "", "", "300", "5,120", "1,280"],
        ["held out", *[""] * 5],
        ["a.causal", "0", "0.0%", "0", "0", "0"],
    ]
    alone = manifest.recipe["rows"] | {"encoder": None}
    manifest.recipe["rows"] = alone
    assert rows_of(groups_table(manifest))[0][2] == "80.0%"


def test_the_summary_counts_training_rows_and_all_bytes(manifest, rows_of, tmp_path):
    table = summary(manifest, tmp_path / "[b]")
    assert "[b]" in str(Console(file=io.StringIO()).render_str(str(table.title)))
    told = dict(rows_of(table))
    assert told["training rows"] == "300"
    assert told["bytes"] == "12,000 in 6 shards"
    assert told["row"] == (
        "decoder 64 slots, 16 predictions; encoder 64 slots, 8 predictions"
    )
    assert told["vocabulary"] == "1,152 ids, sha256 abc"
    assert told["policies"] == "sha256 1" and told["seed"] == "7"


@pytest.mark.parametrize("mixed", [None, 0.985])
def test_what_serving_costs_stands_beside_rows_packed_together(mixed, rows_of):
    fills = [
        GroupFill("a", 0.125, 12.345, 0.25, 0.9),
        GroupFill("b", 0.875, 2, 0.75, 1),
    ]
    rows = rows_of(serving_table(ServingCost(fills, 0.975, mixed)))
    assert rows[:3] == [
        ["a", "12.50%", "12.35", "25.00%", "90.0%"],
        ["b", "87.50%", "2.00", "75.00%", "100.0%"],
        ["mixed when served", "", "", "", "97.5%"],
    ]
    together = [] if mixed is None else [["packed together", "", "", "", "98.5%"]]
    assert rows[3:] == together


def test_a_log_has_a_line_for_each_phase():
    console = Console(file=io.StringIO(), width=100)
    with recording_bar(console) as bar:
        bar.phase("training rows", 1200)
        bar.done(0)
        bar.done(512)
        bar.phase("held-out rows", 3)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().split("\n")
    assert [line for line in lines if line] == [
        "training rows: 1,200 parts",
        "held-out rows: 3 parts",
    ]


def test_a_terminal_shows_how_far_it_is():
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with recording_bar(console) as bar:
        bar.phase("training rows", 12)
        bar.done(1500)
        bar.done(500)
        (task,) = bar._bar.tasks
        assert (task.completed, task.total) == (2, 12)
        assert task.fields["rows"] == "2,000 rows"
        bar.phase("held-out rows", 3)
        assert [task.visible for task in bar._bar.tasks] == [False, True]
