"""How much of its devices a run uses, from its own account of time and its config."""

import json
from types import SimpleNamespace
from typing import Any, cast

import hypothesis
import hypothesis.strategies as st
import pytest

from sightline.launch.pods.watch.utilisation import (
    LINES,
    Utilisation,
    step_seconds,
    utilisation,
)
from sightline.objectives.errors import UsageError

pytestmark = pytest.mark.unchecked


def account(folder, lines):
    """Lines of (steps, seconds of computing), each ten seconds long."""
    step, text = 0, [{"begin": 0.0, "process": 1}, {"until": 5.0, "seconds": {}}]
    for number, (steps, seconds) in enumerate(lines, 1):
        spent = {"compute": seconds, "data": 10.0 - seconds}
        line = {"until": 5.0 + 10 * number, "seconds": spent}
        text.append(line | {"from": step, "step": step + steps})
        step += steps
    (folder / "goodput.jsonl").write_text("".join(f"{json.dumps(x)}\n" for x in text))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


@hypothesis.given(
    st.lists(st.tuples(st.integers(0, 9), st.floats(0.5, 10)), max_size=2 * LINES)
)
@hypothesis.settings(max_examples=60, deadline=None)
def test_a_step_takes_the_mean_of_the_newest_lines_that_have_steps(folder, lines):
    account(folder, lines)
    newest = [line for line in lines if line[0]][-LINES:]
    steps = sum(steps for steps, _ in newest)
    if not steps:
        assert step_seconds(folder) is None
        return
    seconds = sum(seconds for _, seconds in newest)
    assert step_seconds(folder) == pytest.approx(seconds / steps)


def test_a_run_without_an_account_has_no_step(tmp_path):
    assert step_seconds(tmp_path) is None


def test_utilisation_is_of_the_whole_batch_on_whatever_devices(tmp_path):
    """The run's own mesh and parts of a batch change nothing of what is computed."""

    def used(*lines, peak=1e12) -> Any:
        config = ["include 'quickstart.gin'", "train.batch_rows = 8", *lines]
        (tmp_path / "config.gin").write_text("\n".join([*config, ""]))
        run = cast(Any, SimpleNamespace(folder=tmp_path))
        return utilisation(run, peak=peak)

    account(tmp_path, [(4, 2.0)])
    once = used()
    assert once.seconds == 0.5 and once.operations > 1e6
    other = ("train.microbatches = 2", "MeshShape.fsdp = 4")
    twice = used("train.batch_rows = 16", *other, peak=4e12)
    assert twice.operations == pytest.approx(2 * once.operations)
    assert twice.mfu == pytest.approx(once.mfu / 2)
    with pytest.raises(UsageError, match="the devices' peak"):
        used(peak=0.0)


def test_mfu_is_a_share_of_the_peak():
    assert Utilisation(operations=3e12, seconds=2.0, peak=6e12).mfu == 0.25
