"""What a worker of Beam does, without Beam; with it, see `test_beam`."""

import functools
import importlib.util
import pickle

import pytest

from sightline.objectives.errors import UsageError
from sightline.tasks.recorded import beam_runner
from sightline.tasks.recorded.beam_runner import do

MADE = []
"""Names of the makers that were made, and what each did."""


def make(name):
    MADE.append(name)
    return lambda job: MADE.append((name, job))


def makes(name):
    return pickle.dumps(((), functools.partial(make, name)))


def test_a_worker_keeps_its_maker_until_another_recording_comes(monkeypatch):
    monkeypatch.setattr(beam_runner, "_MAKERS", {})
    one, other = makes("one"), makes("other")
    MADE.clear()
    for number, maker in enumerate((one, one, other, one)):
        assert do(pickle.dumps(number), maker) is None
    assert MADE == [
        *("one", ("one", 0), ("one", 1)),
        *("other", ("other", 2)),
        *("one", ("one", 3)),
    ]
    # Of two recordings one is held: a maker keeps the tokens that it has opened.
    assert list(beam_runner._MAKERS) == [one]


@pytest.mark.skipif(
    importlib.util.find_spec("apache_beam") is not None, reason="Beam is installed"
)
def test_without_beam_the_way_to_install_it_is_told():
    with pytest.raises(UsageError, match=r"beam/bin/pip install 'sightline\[beam\]'"):
        beam_runner.beam_runner("DirectRunner")
