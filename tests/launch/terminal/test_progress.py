"""The phases of a long command, in a log and on a terminal."""

import io
import itertools
import re

import hypothesis
import hypothesis.strategies as st
import pytest
from rich.console import Console

from sightline.launch.terminal import progress
from sightline.launch.terminal.progress import phases

NAMES = st.lists(st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1))


@pytest.fixture
def clock(monkeypatch):
    """A clock that is seven seconds later whenever it is read."""
    seconds = itertools.count(100.0, 7.0)
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(seconds))


def console(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=200)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_log_has_a_line_for_each_phase_with_its_seconds(clock):
    log = console(terminal=False)
    with phases(log) as begin:
        begin("leak audit")
        begin("minimal pairs")
    lines = [line.split(" s  ") for line in printed(log).splitlines()]
    assert [(int(s), name) for s, name in lines] == [
        (7, "leak audit"),
        (14, "minimal pairs"),
    ]


@hypothesis.given(names=NAMES)
@hypothesis.example(names=["[bold]", "[/]", "continuation [by label]"])
@hypothesis.settings(max_examples=50)
def test_a_log_shows_each_name_as_it_is(names):
    """Brackets too, which rich would take for a style."""
    log = console(terminal=False)
    with phases(log) as begin:
        for name in names:
            begin(name)
    lines = printed(log).splitlines()
    assert [line.split(" s  ", 1)[1] for line in lines] == names


@pytest.mark.parametrize("name", ["leak audit", "continuation [by label]"])
def test_a_terminal_shows_the_phase_and_then_clears_it(name):
    screen = console(terminal=True)
    with phases(screen) as begin:
        begin(name)
    text = printed(screen)
    assert name in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)
    # The last thing written erases the line on which the phase stood.
    assert text.rstrip("\n").endswith("\x1b[2K")


@pytest.mark.parametrize("terminal", [True, False])
def test_an_error_leaves_the_console_usable(terminal):
    screen = console(terminal=terminal)
    with pytest.raises(KeyError), phases(screen) as begin:
        begin("first")
        raise KeyError
    with phases(screen) as begin:  # rich allows one live display at a time
        begin("second")
    assert "second" in printed(screen)
