"""All processes stop after one step, also where the run has gone back before."""

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
