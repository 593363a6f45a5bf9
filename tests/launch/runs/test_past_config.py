"""The config with which each step of a run was computed, however often it resumed."""

import tempfile

import hypothesis
import hypothesis.strategies as st
import pytest

from sightline.launch.runs.changes import append_changes, read_changes
from sightline.launch.runs.directory import RunDirectory
from sightline.launch.runs.past_config import bindings_at
from sightline.launch.runs.run_identity import (
    Change,
    RunIdentity,
    check_same_run,
    to_json,
)
from sightline.objectives.errors import UsageError

STARTS = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.integers(0, 3),
        st.sampled_from("123"),
        st.none() | st.sampled_from("45"),
    ),
    min_size=1,
    max_size=6,
)
"""How far before its end a run goes on, for how many steps, and with which config."""


def identity(first, second):
    lines = [f"adamw.b1 = {first}", *([f"adamw.b2 = {second}"] if second else [])]
    return RunIdentity("\n".join(["# adamw", *lines, ""]), {})


@hypothesis.given(STARTS)
@hypothesis.example([(0, 2, "1", None), (1, 2, "2", None), (2, 2, "1", None)])
@hypothesis.example([(0, 3, "1", "4"), (1, 2, "1", None), (3, 3, "1", "4")])
@hypothesis.settings(max_examples=40, deadline=None)
def test_each_step_was_computed_with_what_its_last_start_bound(starts):
    """A run goes on from any checkpoint, and takes the steps after it again.

    Kept here: the config of every checkpoint, which is one a step.
    """
    with tempfile.TemporaryDirectory() as folder:
        directory = RunDirectory(folder)
        in_force: dict[int, RunIdentity] = {}
        for back, steps, *values in starts:
            begin, now = max(0, len(in_force) - back), identity(*values)
            changes = []
            if begin:
                saved = to_json(in_force[begin])
                changes = check_same_run(saved, now, allow=["adamw"])
            directory.write_config(now, step=begin, changes=changes)
            in_force = {step: in_force[step] for step in range(1, begin + 1)}
            in_force |= dict.fromkeys(range(begin + 1, begin + steps + 1), now)
        for step, run in in_force.items():
            found = bindings_at(folder, step)
            lines = [f"{name} = {value}" for name, value in found.items()]
            assert sorted(lines) == sorted(run.config.splitlines()[1:]), step


def test_a_start_that_is_repeated_changes_once(tmp_path):
    """As one that is killed before its first checkpoint, and started again."""
    change = Change("adamw.b1", "0.9", "0.8")
    append_changes(tmp_path, 2, [Change("train.keep", None, "3")])
    for _ in range(3):
        append_changes(tmp_path, 4, [change])
    assert [(step, c.name) for step, c in read_changes(tmp_path)] == [
        (2, "train.keep"),
        (4, "adamw.b1"),
    ]


def test_a_run_that_changes_nothing_has_no_file_of_changes(tmp_path):
    append_changes(tmp_path, 4, [])
    assert read_changes(tmp_path) == [] and not list(tmp_path.iterdir())


def test_a_folder_without_a_config_is_named(tmp_path):
    with pytest.raises(UsageError, match=f"{tmp_path}' has no config.gin"):
        bindings_at(tmp_path, 3)
