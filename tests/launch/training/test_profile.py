"""A window of profiled steps."""

import gzip
import json

import jax.numpy as jnp
import pytest

from sightline.launch.training.profile import ProfiledStep, profile_window
from sightline.objectives.errors import UsageError


@pytest.mark.parametrize(
    "text", ["10", "10:", "0:3", "5:4", "a:b", "-1:4", "1:2:3", "１:2"]
)
def test_what_is_no_window(text):
    with pytest.raises(UsageError, match="write FIRST:LAST"):
        profile_window(text, steps=100)


def test_windows():
    assert profile_window("10:15", steps=15) == range(10, 16)
    with pytest.raises(UsageError, match=r"train\.steps is 14"):
        profile_window("10:15", steps=14)


def captured(tmp_path, window, *, done=0, calls=6):
    """The numbers of the steps in the profile; None without one."""
    step = ProfiledStep(lambda x: x + 1, window, run_dir=str(tmp_path), done=done)
    x = jnp.zeros(3)
    for _ in range(calls):
        x = step(x)
    step.close()
    assert x.tolist() == [calls] * 3
    files = list(tmp_path.glob("profile/plugins/profile/*/*.trace.json.gz"))
    if not files:
        return None
    events = json.loads(gzip.decompress(files[0].read_bytes()))["traceEvents"]
    return [int(e["args"]["step_num"]) for e in events if e.get("name") == "train"]


def test_a_window_is_captured(tmp_path):
    assert captured(tmp_path, range(2, 5)) == [2, 3, 4]


def test_a_run_that_stops_within_leaves_what_there_is(tmp_path):
    assert captured(tmp_path, range(4, 100)) == [4, 5, 6]


@pytest.mark.parametrize("window", [None, range(8, 9), range(3, 5)])
def test_nothing_is_captured(tmp_path, window):
    """No window, one not reached, one that begins before the run resumed."""
    assert captured(tmp_path, window, done=3, calls=2) is None
