"""Processes that are not of one run are named, with what they differ in."""

import socket
from functools import partial

import hypothesis
import hypothesis.strategies as st
import pytest

from sightline.launch.hosts import preflight
from sightline.objectives.errors import UsageError

HOST = socket.gethostname()
LINES = st.lists(
    st.text("ab-+@ ", min_size=1, max_size=5), unique=True, min_size=1, max_size=5
)


def compared(peers, at_once, count, facts):
    """The error of each process's comparison; `facts` by its number."""
    started = peers(count)
    at_once(peer.coordination.introduce for peer in started)
    return at_once(
        partial(peer.preflight.check_equal, facts(n)) for n, peer in enumerate(started)
    )


def test_processes_of_one_run_may_train(peers, at_once):
    facts = {"config": "train.steps = 3\n", "data": ""}
    assert compared(peers, at_once, 2, lambda _: facts) == [None, None]


def test_the_one_that_differs_is_told_against_all_others(peers, at_once):
    def facts(number):
        steps = 4 if number == 0 else 3
        return {"code": "same", "config": f"a = 1\ntrain.steps = {steps}\nb = 2\n"}

    for error in compared(peers, at_once, 3, facts):
        assert isinstance(error, UsageError)
        assert str(error) == (
            f"the processes differ in their config: process 0 ({HOST}) against "
            f"process 1 ({HOST}), process 2 ({HOST}):\n"
            "  -train.steps = 3\n  +train.steps = 4\n"
            "Start all with the same command, files and installation."
        )


def test_the_first_of_several_differences_is_told(peers, at_once):
    """Other code may be why the rest differs."""
    errors = compared(
        peers, at_once, 2, lambda n: {"same": "", "code": f"{n}", "config": f"{n}{n}"}
    )
    for error in errors:
        assert "differ in their code: " in str(error)
        assert "config" not in str(error)


def test_of_many_processes_the_first_four_are_named(peers, at_once):
    error, *_ = compared(peers, at_once, 7, lambda n: {"data": f"{n == 6}"})
    assert f"process 6 ({HOST}) against process 0 ({HOST}), " in str(error)
    assert f"process 3 ({HOST}) and 2 more:\n" in str(error)
    assert "process 4" not in str(error) and "process 5" not in str(error)


@hypothesis.given(usual=LINES, other=LINES)
@hypothesis.example(usual=["same", "-- removed"], other=["same", "++ added"])
@hypothesis.settings(max_examples=100, deadline=None)
def test_every_changed_line_is_shown_with_its_side(usual, other):
    """What is left of both, without what is marked, is the same."""
    shown = preflight._difference("\n".join(usual), "\n".join(other)).splitlines()
    marked = {"-": [], "+": []}
    for line in shown:
        assert line.startswith("  ")
        marked[line[2]].append(line[3:])
    assert set(marked["-"]) <= set(usual) and set(marked["+"]) <= set(other)
    left = [line for line in usual if line not in marked["-"]]
    assert left == [line for line in other if line not in marked["+"]]


def test_a_folder_that_all_see_is_left_as_it_was(peers, at_once, tmp_path):
    checks = (partial(peer.preflight.check_shared, tmp_path) for peer in peers(3))
    assert at_once(checks) == [None] * 3
    assert list(tmp_path.iterdir()) == []


def test_who_does_not_see_the_folder_is_named(peers, at_once, tmp_path):
    started = peers(3)
    folders = [tmp_path / name for name in ("a", "a", "b")]
    for peer, folder in zip(started, folders, strict=True):
        folder.mkdir(exist_ok=True)
        peer.preflight._SHARE_SECONDS = 0.5
    at_once(peer.coordination.introduce for peer in started)
    errors = at_once(
        partial(peer.preflight.check_shared, folder)
        for peer, folder in zip(started, folders, strict=True)
    )
    for error, folder in zip(errors, folders, strict=True):
        assert isinstance(error, UsageError)
        assert str(error).startswith(
            f"process 2 ({HOST}) cannot see what process 0 ({HOST}) writes to "
            f"{str(folder)!r}; --run_dir must be one folder that all hosts share"
        )
    assert set(tmp_path.rglob("*")) == set(folders)


def test_alone_no_file_is_written(tmp_path):
    preflight.check_shared(tmp_path / "not made yet")


@pytest.mark.parametrize("name", ["jax", "numpy", "orbax-checkpoint"])
def test_the_version_of_the_code_names_what_computes(name):
    from importlib.metadata import version

    assert f"{name} {version(name)}" in preflight.code_version().splitlines()
