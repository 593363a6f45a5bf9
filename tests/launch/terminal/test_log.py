"""Lines of a run's log, those of libraries among them."""

import io
import json
import logging

import pytest
from rich.console import Console

from sightline.launch.terminal.log import Formatter, RunLog

ours = logging.getLogger("sightline.launch.training.train")
library = logging.getLogger("absl")


def logged(kind, *, first=True, host=0, library=library):
    """What a library's failure and our own say."""
    console = Console(file=io.StringIO(), width=200)
    log = RunLog(console, kind=kind, first=first)
    with log.listening(host=host):
        for logger in (library, ours):
            logger.info("all is well with %s", logger.name)
            try:
                raise OSError(28, "No space left on device")
            except OSError:
                logger.exception("a thread has failed")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("name", ["absl", "concurrent.futures"])
def test_a_librarys_failure_is_one_line_and_ours_has_its_traceback(name):
    lines = logged("plain", library=logging.getLogger(name)).splitlines()
    first, second, third, *traceback = lines
    assert first.endswith("ERROR host 0: a thread has failed (OSError)")
    assert second.endswith("INFO host 0: all is well with " + ours.name)
    assert third.endswith("ERROR host 0: a thread has failed")
    assert traceback[0].startswith("Traceback")


def test_every_line_of_a_json_log_is_an_object(capfd):
    lines = [json.loads(line) for line in logged("json").splitlines()]
    assert [line["severity"] for line in lines] == ["ERROR", "INFO", "ERROR"]
    assert capfd.readouterr() == ("", "")  # nor is anything said elsewhere


@pytest.mark.parametrize("host", [1, 3])
def test_other_hosts_log_what_is_wrong_alone(host):
    lines = logged("plain", first=False, host=host).splitlines()
    assert [line for line in lines if " INFO " in line] == []
    assert f"ERROR host {host}: a thread has failed (OSError)" in lines[0]


def test_loggers_are_left_as_they_were():
    before = [(x.level, x.propagate, x.handlers[:]) for x in (library, ours.root)]
    logged("plain")
    assert before == [
        (x.level, x.propagate, x.handlers[:]) for x in (library, ours.root)
    ]


def record(message, *, level=logging.INFO, **fields):
    made = logging.makeLogRecord(
        {"msg": message, "levelno": level, "created": 86400.25}
    )
    made.levelname, made.msecs = logging.getLevelName(level), 250.0
    vars(made).update(fields)
    return made


def test_a_line_has_the_time_in_utc_and_the_step_if_there_is_one():
    steps = iter([None, 1200])
    plain = Formatter("plain", host=3, step=lambda: next(steps))
    before, after = plain.format(record("begins")), plain.format(record("50% done"))
    assert before == "1970-01-02T00:00:00.250Z INFO host 3: begins"
    assert after == "1970-01-02T00:00:00.250Z INFO host 3 step 1200: 50% done"


def test_figures_have_fields_of_their_own_in_json_also_those_it_cannot_hold():
    made = record("loss", loss=float("nan"), data_wait=0.25, reason="spike", other=1)
    line = json.loads(Formatter("json", host=1, step=lambda: 7).format(made))
    assert line == {
        **{"severity": "INFO", "time": "1970-01-02T00:00:00.250Z", "host": 1},
        **{"step": 7, "message": "loss", "loss": "nan", "data_wait": 0.25},
        "reason": "spike",
    }


class Screen(io.StringIO):
    """A terminal that keeps what it shows."""

    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def colours(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


def test_on_a_terminal_a_line_is_its_message_and_brackets_are_text():
    screen = Console(file=Screen(), width=80)
    log = RunLog(screen)
    assert log.on_terminal
    with log.listening():
        ours.info("saved [step 4]")
        ours.warning("[b]odd")
    text = screen.file.getvalue()
    assert "saved [step 4]\n" in text
    assert "\x1b[33m[b]odd\x1b[0m\n" in text  # yellow


@pytest.mark.parametrize(
    ("kind", "first", "terminal", "watched"),
    [
        ("plain", True, True, True),
        ("plain", True, False, False),
        ("plain", False, True, False),
        ("json", True, True, False),
    ],
)
def test_only_who_watches_gets_a_bar_and_others_get_lines(
    kind, first, terminal, watched
):
    screen = Console(file=Screen() if terminal else io.StringIO(), width=80)
    log = RunLog(screen, kind=kind, first=first)
    assert log.on_terminal == watched
    with log.listening(), log.phase("Compiling"):
        pass
    text = screen.file.getvalue()
    assert ("Compiling" in text) == first
    log.console.print("a table")
    printed = screen.file.getvalue().removeprefix(text)
    assert ("a table" in printed) == (first and kind == "plain")
