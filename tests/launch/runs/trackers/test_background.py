"""A thread between a run and a service: all in order, and no fault of it in the run."""

import logging
import threading

import hypothesis
import hypothesis.strategies as st
import pytest

from sightline.launch.runs.trackers import background
from sightline.launch.runs.trackers.background import Background
from sightline.launch.runs.trackers.tracker import Grid
from sightline.objectives.errors import UsageError

GRID = Grid(["task"], [["a"]])


class Kept:
    """Keeps what it gets, and the threads that ask it anything.

    `held`: the last step that it has of each name, as a service that knows the run.
    """

    run_id = "run-7"

    def __init__(self, **held):
        self.calls, self.held, self.threads = [], held, set()

    def last_step(self, name):
        self.threads.add(threading.current_thread().name)
        return self.held.get(name, -1)

    def config(self, text):
        self.calls.append(("config", text))

    def scalars(self, step, values):
        self.calls.append((step, dict(values)))

    def table(self, step, name, grid):
        self.calls.append((step, name, grid))

    def picture(self, step, name, png):
        self.calls.append((step, name, png))

    def close(self, *, failed):
        self.calls.append(("close", failed))


def fed(tracker, *, is_new=True):
    return Background("mine", lambda: tracker, is_new=is_new)


CALLS = st.lists(
    st.one_of(
        st.tuples(st.just("config"), st.text(max_size=3)),
        st.tuples(
            st.just("scalars"),
            st.integers(0, 5),
            st.dictionaries(st.sampled_from("abc"), st.floats(), max_size=3),
        ),
        st.tuples(
            st.just("table"), st.integers(0, 5), st.sampled_from("abc"), st.just(GRID)
        ),
        st.tuples(
            st.just("picture"), st.integers(0, 5), st.just("p"), st.binary(max_size=2)
        ),
    ),
    max_size=30,
)


@hypothesis.given(
    calls=CALLS, held=st.dictionaries(st.sampled_from("abc"), st.integers(0, 5))
)
@hypothesis.settings(max_examples=60, deadline=None)
def test_everything_new_arrives_in_order(calls, held):
    """What the service has already, by step and name, is not sent again."""
    tracker = Kept(**held)
    between = fed(tracker)
    expected = []
    for kind, *arguments in calls:
        getattr(between, kind)(*arguments)
        if kind == "scalars":
            step, values = arguments
            new = {n: v for n, v in values.items() if step > held.get(n, -1)}
            expected += [(step, new)] if new else []
        elif kind != "table" or arguments[0] > held.get(arguments[1], -1):
            expected.append((kind, *arguments) if kind == "config" else (*arguments,))
    between.close(failed=False)
    # repr: NaN is not itself.
    assert list(map(repr, tracker.calls)) == [*map(repr, expected), "('close', False)"]


def test_a_service_is_asked_by_its_own_thread_alone():
    """Asking may take as long as a network does, and fail as one."""
    tracker = Kept(loss=3)
    between = fed(tracker)
    assert between.run_id == "run-7"
    between.scalars(4, {"loss": 1.0})
    between.close(failed=True)
    assert tracker.threads == {"tracker-mine"}
    assert tracker.calls[-1] == ("close", True)


@pytest.mark.parametrize("call", ["last_step", "scalars", "close"])
def test_a_fault_is_told_once_and_does_not_reach_the_run(call, monkeypatch, caplog):
    def broken(*_, **__):
        raise ConnectionError("no route to host: \nand a page of more")

    tracker = Kept()
    monkeypatch.setattr(tracker, call, broken)
    between = fed(tracker, is_new=False)
    with caplog.at_level(logging.WARNING):
        for step in range(3):
            between.scalars(step, {"loss": 1.0})
            between.table(step, "shares", GRID)
        between.close(failed=False)
    (record,) = caplog.records
    told = record.getMessage()
    assert "mine gets nothing more from this run: ConnectionError: no route" in told
    assert "host. Training goes on" in told
    assert len(tracker.calls) == (6 if call == "close" else 0)


def test_a_known_run_that_cannot_be_opened_gets_nothing(caplog):
    def refuse():
        raise OSError(28, "No space left on device")

    with pytest.raises(UsageError, match=r"'mine' cannot be opened: .*No space"):
        Background("mine", refuse, is_new=True)
    between = Background("mine", refuse, is_new=False)
    between.config("a = 1")
    between.close(failed=False)
    assert between.run_id == "" and len(caplog.records) == 1


def test_no_thread_stays_after_the_end():
    before = threading.active_count()
    between = fed(Kept())
    between.config("a = 1")
    between.close(failed=False)
    assert threading.active_count() == before


def test_a_tracker_that_takes_its_time_is_waited_for_at_the_end(monkeypatch, caplog):
    tracker, free = Kept(), threading.Event()
    monkeypatch.setattr(tracker, "config", lambda text: free.wait(10))
    between = fed(tracker)
    between.config("a = 1")
    between.scalars(1, {"loss": 1.0})
    threading.Timer(0.1, free.set).start()
    between.close(failed=False)
    assert tracker.calls == [(1, {"loss": 1.0}), ("close", False)]
    assert not caplog.records


def test_a_tracker_is_given_up_only_when_it_is_further_behind(monkeypatch, caplog):
    """One call is under way, as many as stated wait, and the next is one too many."""
    monkeypatch.setattr(background, "WAITING", 3)
    tracker, begun, free = Kept(), threading.Event(), threading.Event()
    monkeypatch.setattr(tracker, "config", lambda _: (begun.set(), free.wait(10)))
    between = fed(tracker)
    between.config("a = 1")
    begun.wait(10)
    for step in range(3):
        between.scalars(step, {"loss": 1.0})
    assert not caplog.records
    between.scalars(3, {"loss": 1.0})
    assert "it is 3 records behind" in caplog.text
    free.set()
