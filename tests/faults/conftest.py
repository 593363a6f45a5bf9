"""Collects the trials of every fault and prints them as one table."""

import contextlib
import time
from collections import defaultdict
from pathlib import Path

import pytest
from one_process import faults, recorded, train, trial, whole
from process_runs import compiled, rows, start
from scoreboard import FAULTS, Score, markdown

__all__ = [
    "compiled",
    "faults",
    "recorded",
    "rows",
    "start",
    "train",
    "trial",
    "whole",
]

_SCORES: dict[int, Score] = defaultdict(Score)


def pytest_addoption(parser):
    parser.addoption(
        "--scoreboard",
        metavar="FILE",
        help="write the table; what it has beside the faults that are tried stays",
    )


@pytest.fixture
def fault(request):
    """`with fault(seconds=…, steps_lost=…)`: a trial of the test's fault.

    A test is marked `fault(number)`. Without `seconds` the trial's own time is not
    counted; call the yielded function once the fault has been noticed.
    """
    number = request.node.get_closest_marker("fault").args[0]
    assert number in FAULTS

    @contextlib.contextmanager
    def trial():
        score, began = _SCORES[number], time.monotonic()
        score.trials += 1

        def noticed(
            *, since: float | None = began, steps_lost: int | None = None
        ) -> None:
            if since is not None:
                score.seconds.append(time.monotonic() - since)
            if steps_lost is not None:
                score.steps_lost.append(steps_lost)

        try:
            yield noticed
        except BaseException:
            score.failures += 1
            raise

    return trial


def pytest_terminal_summary(terminalreporter, config):
    if not _SCORES:
        return
    terminalreporter.section("faults")
    terminalreporter.write(markdown(_SCORES))
    if name := config.getoption("--scoreboard", default=None):
        path = Path(name)
        before = path.read_text() if path.exists() else ""
        head = before.partition("| #")[0]
        path.write_text(head + markdown(_SCORES, before=before))
