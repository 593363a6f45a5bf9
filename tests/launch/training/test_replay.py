"""A step computed again says whether the run computed it right."""

import dataclasses

import jax
import numpy as np
import pytest

from sightline.launch.runs.checkpoints import Checkpoints
from sightline.launch.runs.trace import Step, StepTrace, traced_step
from sightline.launch.training.batch_identity import identity_of
from sightline.launch.training.data import DataPlace
from sightline.launch.training.replay import replay, replay_table
from sightline.launch.training.step import step_of
from sightline.objectives.errors import UsageError

pytestmark = pytest.mark.unchecked
"""One test stands in for a program that miscomputes."""

STEPS, SAVED = 6, 3


@dataclasses.dataclass
class Rows:
    """A source of the same batches again and again."""

    batches: list

    def training(self, *, seed, position):
        number = position["batch"] if position else 0
        while True:
            yield self.batches[number % len(self.batches)], {"batch": number}
            number += 1

    def own(self, positions):
        return positions[0]

    def held_out(self, *, most):
        return {}

    def close(self):
        pass


class Compiled:
    """A program that is compiled once, or whose step is another."""

    def __init__(self, program, step=None):
        self._program = program
        self._step = step or program.compile_train_step()

    def __getattr__(self, name):
        return getattr(self._program, name)

    def compile_train_step(self):
        return self._step


@pytest.fixture(scope="module")
def run(make_program, make_batches, shares, tmp_path_factory):
    """A run of six steps whose newest checkpoint is that of the third."""
    folder = tmp_path_factory.mktemp("run")
    program = Compiled(make_program("decoder"))
    step, state = program.compile_train_step(), program.initial_state()
    source = Rows(make_batches("decoder", count=4))
    batches = source.training(seed=0, position=None)
    with (
        Checkpoints(folder, keep=2, period=SAVED) as checkpoints,
        StepTrace(folder, resume_step=0) as trace,
    ):
        for number in range(1, STEPS + 1):
            batch, position = next(batches)
            state, metrics = step(state, program.place(batch), shares)
            trace.write(number, step_of(jax.device_get(metrics)))
            if number == SAVED:
                last = identity_of([program.digest(batch)])
                place = DataPlace(number, [position], last)
                checkpoints.save(number, state, {"place": place._asdict()})

    def again(number, *, program=program):
        return replay(
            run_dir=folder,
            step=number,
            program=program,
            source=source,
            seed=0,
            initial=program.initial_state,
            shares_at=lambda _: shares,
            check=lambda *, step: None,
        )

    return folder, again, program


@pytest.mark.parametrize(("number", "start"), [(2, 0), (3, 0), (4, 3), (6, 3)])
def test_a_sound_step_is_bit_equal_from_the_newest_checkpoint_before_it(
    run, number, start
):
    _, again, _ = run
    result = again(number)
    assert result.bit_equal and result.start == start
    assert "bit-equal" in str(replay_table(result).caption)


def test_one_wrong_bit_in_the_record_is_found(run):
    folder, again, _ = run
    right = traced_step(folder, 5)
    assert right is not None
    bits = np.float32(right.loss).view(np.uint32) ^ np.uint32(1)
    wrong = right._replace(loss=float(bits.view(np.float32)))
    path = folder / "steps.jsonl"
    text = path.read_text()
    path.write_text(text.replace(repr(right.loss), repr(wrong.loss)))
    try:
        result = again(5)
        assert not result.bit_equal and result.again == right
        assert result.verdict.startswith("transient")
    finally:
        path.write_text(text)


def test_a_machine_that_miscomputes_now_is_told_from_one_that_did(run):
    _, again, program = run
    step = program.compile_train_step()
    calls = []

    def faulty(*arguments):
        state, metrics = step(*arguments)
        calls.append(None)
        return state, metrics._replace(loss=metrics.loss + 1e-3 * len(calls))

    result = again(4, program=Compiled(program, faulty))
    assert result.verdict.startswith("not reproducible")


def test_other_rows_are_not_taken_for_a_fault_of_the_machine(run, monkeypatch):
    again = run[1]
    monkeypatch.setattr(Compiled, "digest", lambda *_: 1, raising=False)
    for number in (3, 4):  # the checkpoint of step 3 knows its own batch
        with pytest.raises(UsageError, match="the data is not what this run has read"):
            again(number)
    assert again(2).bit_equal


def test_a_step_without_a_record_cannot_be_replayed(run):
    with pytest.raises(UsageError, match="no record of step 7"):
        run[1](7)


def test_a_trace_reads_back_every_float_exactly_and_drops_later_steps(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2**32, 200, dtype=np.uint32).view(np.float32)
    with StepTrace(tmp_path, resume_step=0) as trace:
        for number, value in enumerate(values, start=1):
            trace.write(number, Step(float(value), float(value), None))
    for number, value in enumerate(values, start=1):
        step = traced_step(tmp_path, number)
        assert step is not None
        assert np.isnan(value) == np.isnan(step.loss)
        if not np.isnan(value):
            assert np.float32(step.loss).tobytes() == value.tobytes()
    StepTrace(tmp_path, resume_step=150).close()
    assert traced_step(tmp_path, 150) is not None
    assert traced_step(tmp_path, 151) is None
