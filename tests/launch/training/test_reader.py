"""Items made on a thread of their own, and waits that can be left."""

import threading
import time

import pytest

from sightline.launch.training.reader import Reader, in_background, wait_for


class Left(Exception):
    pass


def leave():
    raise Left


def test_a_reader_keeps_the_order_and_ends():
    reader = Reader(range(100), ahead=3)
    assert reader.peek(5) == [0, 1, 2, 3, 4]
    assert reader.is_ready()
    assert list(reader) == list(range(100))
    assert list(reader) == []


def test_the_makers_error_is_raised_in_its_place():
    def items():
        yield 1
        raise KeyError("bad record")

    reader = Reader(items(), ahead=8)
    assert next(reader) == 1
    with pytest.raises(KeyError, match="bad record"):
        next(reader)


def test_a_reader_begins_before_the_first_item_is_taken():
    begun = threading.Event()

    def items():
        begun.set()
        yield 1

    reader = Reader(items(), ahead=1)
    assert begun.wait(timeout=5)
    assert list(reader) == [1]


@pytest.mark.parametrize("end", [Reader.close, None])
def test_a_reader_stops_its_thread_when_closed_or_dropped(end):
    def running():
        return [t for t in threading.enumerate() if t.name == "sightline-reader"]

    before = len(running())
    reader = Reader(iter(int, 1), ahead=2)
    next(reader)
    assert len(running()) == before + 1
    if end:
        end(reader)
    else:
        del reader
    deadline = time.monotonic() + 5
    while len(running()) > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(running()) == before


def test_waits_are_left_by_raising():
    released = threading.Event()

    def items():
        released.wait()
        yield 1

    reader = Reader(items(), ahead=1)
    assert not reader.is_ready()
    reader.while_waiting = leave
    with pytest.raises(Left):
        next(reader)
    future = in_background(released.wait)
    with pytest.raises(Left):
        wait_for(future, while_waiting=leave)
    released.set()
    assert next(reader) == 1
    assert wait_for(future, while_waiting=lambda: None)
    with pytest.raises(KeyError):
        wait_for(in_background({}.__getitem__, 1), while_waiting=lambda: None)
