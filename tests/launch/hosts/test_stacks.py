"""Where every thread stands, in a file where there is one and always on stderr."""

import threading

import pytest

from sightline.launch.hosts import stacks


@pytest.fixture
def elsewhere():
    """A thread that stands in a function of its own."""
    arrived, ended = threading.Event(), threading.Event()

    def stands_here():
        arrived.set()
        ended.wait()

    thread = threading.Thread(target=stands_here)
    thread.start()
    arrived.wait()
    yield
    ended.set()
    thread.join()


@pytest.fixture
def chosen(monkeypatch):
    monkeypatch.setattr(stacks, "_path", None)
    return stacks.write_to


def test_every_thread_is_shown_in_the_file_and_on_stderr(
    chosen, elsewhere, tmp_path, capfd
):
    path = tmp_path / "stacks-0.txt"
    path.write_text("of an earlier start")
    chosen(path)
    stacks.dump()
    for text in (path.read_text(), capfd.readouterr().err):
        assert "in stands_here" in text
        assert "test_every_thread_is_shown_in_the_file_and_on_stderr" in text
    assert "earlier" not in path.read_text()


def test_a_file_that_cannot_be_written_is_named_and_stderr_has_the_stacks(
    chosen, elsewhere, tmp_path, capfd
):
    chosen(tmp_path / "gone" / "stacks-0.txt")
    stacks.dump()
    text = capfd.readouterr().err
    assert f"no stacks in {tmp_path / 'gone' / 'stacks-0.txt'}" in text
    assert "No such file" in text and "in stands_here" in text


def test_without_a_file_stderr_has_them(chosen, elsewhere, capfd):
    stacks.dump()
    assert "in stands_here" in capfd.readouterr().err


def test_of_many_threads_the_main_one_is_shown(chosen, tmp_path, capfd):
    """It is the oldest, and the newest hundred are shown."""
    path, ended = tmp_path / "stacks-0.txt", threading.Event()
    many = [threading.Thread(target=ended.wait) for _ in range(101)]
    for thread in many:
        thread.start()
    chosen(path)
    stacks.dump()
    ended.set()
    for thread in many:
        thread.join()
    for text in (path.read_text(), capfd.readouterr().err):
        assert "test_of_many_threads_the_main_one_is_shown" in text
