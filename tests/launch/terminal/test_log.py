"""Lines of a run's log, those of libraries among them."""

import io
import json
import logging

import pytest
from rich.console import Console

from sightline.launch.terminal.log import RunLog

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
