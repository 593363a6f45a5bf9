"""All processes stop after one step, also where the run has gone back before."""

import hypothesis
import hypothesis.strategies as st
import pytest

from sightline.launch.hosts import coordination, stopping


class Store:
    """Keys of jax's service as process 0 of two sees them."""

    def __init__(self):
        self.values = {}

    def key_value_set(self, key, value, allow_overwrite=False):
        assert allow_overwrite or key not in self.values, f"ALREADY_EXISTS {key}"
        self.values[key] = value

    def key_value_dir_get(self, folder):
        return [(k, v) for k, v in self.values.items() if k.startswith(folder)]


@pytest.fixture
def store(monkeypatch):
    store = Store()
    monkeypatch.setattr(coordination, "_client", lambda: store)
    monkeypatch.setattr(coordination, "together", lambda: True)
    monkeypatch.setattr(coordination, "process", lambda: 0)
    monkeypatch.setattr(coordination, "processes", lambda: 2)
    yield store
    stopping.begin(0)


def other_allows(store, step):
    """Process 1 answers the newest of process 0's keys."""
    mine = [key for key in store.values if key.startswith("allowed/")][-1]
    store.values[f"{mine.removesuffix('0')}1"] = str(step)


def test_all_stop_after_the_furthest_step_that_any_may_have_begun(store):
    stopping.begin(0)
    assert not stopping.stops_after(0, reason="")
    assert not stopping.stops_after(1, reason="")
    stopping.heard("SIGTERM on process 1 (node1)")
    other_allows(store, 4)
    assert [stopping.stops_after(n, reason="") for n in (2, 3, 4)] == [
        False,
        False,
        True,
    ]


def test_a_run_that_goes_back_while_it_is_asked_to_stop(store):
    stopping.begin(10)
    stopping.stops_after(10, reason="")
    stopping.heard("SIGTERM on process 1 (node1)")
    other_allows(store, 14)
    assert not stopping.stops_after(11, reason="")

    stopping.begin(8)  # the watch hears the request again, since it still stands
    stopping.heard("SIGTERM on process 1 (node1)")
    other_allows(store, 10)
    assert not stopping.stops_after(9, reason="")
    assert stopping.stops_after(10, reason="")


def test_the_process_that_was_asked_to_stop_is_named(store):
    stopping.begin(0)
    assert stopping.reason() == ""
    other_is_asked = "SIGTERM on process 1 (node1)"
    stopping.heard(other_is_asked)
    assert stopping.reason() == other_is_asked


def test_a_process_that_trains_alone_stops_after_the_step_at_hand():
    assert not stopping.stops_after(3, reason="")
    assert stopping.stops_after(3, reason="SIGTERM")


@pytest.fixture(scope="module")
def three(peers):
    return peers(3)


@hypothesis.given(
    steps=st.tuples(*[st.integers(0, 4)] * 3), asked=st.integers(0, 2), data=st.data()
)
@hypothesis.settings(max_examples=12, deadline=None)
def test_wherever_they_stand_all_stop_after_one_step(
    three, at_once, steps, asked, data
):
    """Each has run some steps when one is asked, and each hears of it at once or later.

    The step is one that every process can still end at, and nobody's goes far beyond.
    """
    began = data.draw(st.integers(0, 100))
    three[0].coordination._client().key_value_delete("signal/")
    for peer, count in zip(three, steps, strict=True):
        peer.stopping.begin(began)
        for step in range(began, began + count + 1):
            assert not peer.stopping.stops_after(step, reason="")

    def goes_on(number):
        peer, step = three[number], began + steps[number] + 1
        reason = "SIGTERM" if number == asked else ""
        while not peer.stopping.stops_after(step, reason=reason):
            if stands := peer.coordination.signals().get("stop"):
                peer.stopping.heard(stands)  # as the watch does
            step += 1
        return step, peer.stopping.reason()

    ends = at_once(lambda n=n: goes_on(n) for n in range(3))
    assert len({step for step, _ in ends}) == 1
    assert ends[0][0] >= began + max(steps) + 1
    reasons = {reason for _, reason in ends}
    assert len(reasons) == 1 and f"SIGTERM on process {asked} (" in reasons.pop()


def test_who_does_not_say_how_far_it_is_is_named(peers):
    peer, _ = peers(2)
    peer.stopping._AGREE_SECONDS = 0.0
    peer.stopping.begin(0)
    with pytest.raises(Exception, match=r"process 1 \(unknown host\) did not say"):
        peer.stopping.stops_after(3, reason="SIGTERM")
