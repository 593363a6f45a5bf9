"""Events are counted where someone counts, and there alone."""

import threading

from sightline.objectives.tally import count, counted


def test_only_what_happens_inside_is_counted():
    count("before")
    with counted() as outer:
        count("a")
        with counted() as inner:
            count("b")
        count("a")
    count("after")
    assert (outer, inner) == ({"a": 2}, {"b": 1})


def test_another_thread_counts_for_itself():
    with counted() as mine:
        thread = threading.Thread(target=count, args=("elsewhere",))
        thread.start()
        thread.join()
    assert not mine
