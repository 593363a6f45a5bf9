"""Goodput: the parts add up to wall time whatever happens to a run."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from sightline.launch.runs.goodput import Goodput, file_of, read, summary
from sightline.launch.terminal.goodput import goodput_line


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def begun(run_dir, clock, *, age=0.0):
    """A process whose two clocks are one."""
    return Goodput(run_dir, clock=clock, wall=clock, age=age, period=0.0)


def live(run_dir, clock, start, ticks):
    """A process from a step, killed in the end; returns the step it had told."""
    goodput = begun(run_dir, clock).__enter__()
    clock.now += 3
    with goodput.phase("restore"):
        clock.now += 1
    step = start
    goodput.enter("compute")
    goodput.at_step(start)
    for kind, seconds in ticks:
        if kind == "step":
            clock.now += seconds
            step += 1
            goodput.at_step(step)
        elif kind == "flush":
            goodput.flush()
        else:
            with goodput.phase(kind):
                clock.now += seconds
    return step


TICKS = st.lists(
    st.tuples(
        st.sampled_from(["step", "step", "data", "checkpoint", "evaluation", "flush"]),
        st.floats(0, 100),
    ),
    max_size=20,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(TICKS, st.floats(0, 1000), st.integers(0, 20)), min_size=1))
def test_the_parts_add_up_to_wall_time_over_random_kills(lives):
    """Each life resumes at some step up to the one reached, after some time."""
    with tempfile.TemporaryDirectory() as run_dir:
        clock, step = Clock(), 0
        for ticks, gap, back in lives:
            reached = live(run_dir, clock, step, ticks)
            step = max(0, reached - back)
            clock.now += gap
        found = summary(run_dir)
        last = read(Path(run_dir) / file_of(0))[-1]
    wall = last.get("until", last.get("begin")) - 1000.0
    assert found.wall == pytest.approx(wall)
    assert sum(found.seconds.values()) == pytest.approx(wall, abs=1e-6)
    assert all(seconds >= -1e-6 for seconds in found.seconds.values())
    assert found.starts == len(lives)
    assert 0 <= found.goodput <= 1


def test_steps_computed_again_are_lost(tmp_path):
    clock = Clock()
    steps = [("step", 2.0)] * 10
    live(tmp_path, clock, 0, [*steps, ("flush", 0), ("step", 2.0)])
    clock.now += 50
    live(tmp_path, clock, 4, [*steps, ("flush", 0)])
    found = summary(tmp_path)
    assert found.lost_steps == 6
    assert found.seconds["lost"] == pytest.approx(12)
    assert found.seconds["compute"] == pytest.approx(2 * 14)
    assert found.seconds["stopped"] == pytest.approx(52)  # a step was never written


def test_a_torn_line_is_dropped(tmp_path):
    clock = Clock()
    live(tmp_path, clock, 0, [("step", 1.0), ("flush", 0)])
    before = summary(tmp_path)
    with (tmp_path / file_of(0)).open("a") as file:
        file.write('{"until": 1e')
    assert summary(tmp_path) == before
    clock.now += 5
    live(tmp_path, clock, 1, [("step", 1.0), ("flush", 0)])
    assert summary(tmp_path).starts == 2


def test_a_lost_beginning_divides_nothing_by_zero(tmp_path):
    """The folder was emptied under the run, which then wrote on."""
    (tmp_path / "goodput.jsonl").write_text(
        '{"until": 1003.0, "seconds": {"compute": 2.0, "checkpoint": 1.0}}\n'
    )
    found = summary(tmp_path)
    assert (found.wall, found.goodput) == (3.0, pytest.approx(2 / 3))
    assert "compute 66.7%" in goodput_line(found)


def test_time_is_written_in_the_middle_of_a_phase(tmp_path):
    with (
        Goodput(tmp_path, period=0.01) as goodput,
        goodput.phase("evaluation"),
    ):
        while len(read(tmp_path / file_of(0))) < 5:
            pass
    assert summary(tmp_path).seconds["evaluation"] > 0


@settings(max_examples=50, deadline=None)
@given(st.floats(-1e5, 1e5), st.floats(0, 100), st.floats(0, 100))
def test_a_clock_that_is_set_hides_no_time(moved, before, after):
    """It is set while a process computes, and again before the next one starts."""
    with tempfile.TemporaryDirectory() as run_dir:
        clock, wall = Clock(), Clock()
        wall.now = 1e9
        for start in (0, 2):
            one = Goodput(run_dir, clock=clock, wall=wall, age=0.0, period=0.0)
            with one:
                one.enter("compute")
                one.at_step(start)
                clock.now, wall.now = clock.now + before, wall.now + before
                one.at_step(start + 1)
                one.flush()
                wall.now += moved
                clock.now, wall.now = clock.now + after, wall.now + after
                one.at_step(start + 2)
            wall.now -= 2 * moved
        found = summary(run_dir)
    assert found.seconds["compute"] == pytest.approx(2 * (before + after), abs=1e-3)
    assert found.wall - found.seconds["stopped"] == pytest.approx(
        found.seconds["compute"]
    )
    assert found.seconds["stopped"] >= 0


def test_a_process_that_runs_twice_counts_its_time_once(tmp_path):
    clock = Clock()
    with begun(tmp_path, clock, age=5.0):
        clock.now += 10
    clock.now += 1
    with begun(tmp_path, clock, age=16.0):
        clock.now += 2
    assert summary(tmp_path).seconds["start_up"] == pytest.approx(5 + 10 + 1 + 2)
    assert summary(tmp_path).wall == pytest.approx(18)
