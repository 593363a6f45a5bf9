"""Learning rates at the steps that matter."""

import functools

import pytest

from sightline.launch.training import schedules
from sightline.launch.training.phases import never_begins
from sightline.objectives.errors import UsageError
from sightline.tasks.examples.mixture import Mixture


def rates(schedule, *steps):
    return [float(schedule(step)) for step in steps]


def test_constant():
    assert rates(schedules.constant(0.5, steps=1), 0, 1000) == [0.5, 0.5]


def test_warmup_cosine():
    schedule = schedules.warmup_cosine(1.0, warmup_steps=10, steps=110)
    found = rates(schedule, 0, 4, 9, 10, 60, 110, 200)
    assert found == pytest.approx([0.1, 0.5, 1.0, 1.0, 0.55, 0.1, 0.1])


def test_warmup_rsqrt():
    schedule = schedules.warmup_rsqrt(1.0, warmup_steps=10, steps=99)
    assert rates(schedule, 0, 9, 10, 40, 1000) == pytest.approx([0.1, 1, 1, 0.5, 0.1])


def test_warmup_stable_decay():
    schedule = schedules.warmup_stable_decay(
        1.0, warmup_steps=10, steps=100, decay_steps=20
    )
    found = rates(schedule, 0, 9, 10, 80, 90, 100, 150)
    assert found == pytest.approx([0.1, 1, 1, 1, 0.5, 0, 0], abs=1e-6)


def test_one_step_of_warmup():
    assert rates(schedules.warmup_rsqrt(1.0, warmup_steps=1, steps=9), 0) == [1.0]


@pytest.mark.parametrize("warmup", [0, -1, 10, 11, 0.0, 1.0, float("nan"), True])
def test_a_warmup_that_does_not_fit(warmup):
    with pytest.raises(UsageError, match="warmup_steps"):
        schedules.warmup_cosine(1.0, warmup_steps=warmup, steps=10)


@pytest.mark.parametrize("steps, count", [(1300, 50), (100, 4), (6, 1), (1, 1)])
def test_a_share_of_the_steps_is_a_warmup_of_that_many(steps, count):
    found = schedules.warmup_cosine(1.0, warmup_steps=0.0385, steps=steps)
    assert rates(found, 0, count - 1) == pytest.approx([1 / count, 1.0])


@pytest.mark.parametrize("decay", [0, -3, 100, 95])
def test_a_decay_that_does_not_fit(decay):
    with pytest.raises(UsageError, match="must be at least 1"):
        schedules.warmup_stable_decay(
            1.0, warmup_steps=10, steps=100, decay_steps=decay
        )


@pytest.mark.parametrize("peak", [0.0, -1.0, float("nan"), float("inf")])
def test_a_peak_that_is_no_learning_rate(peak):
    with pytest.raises(UsageError, match="finite number > 0"):
        schedules.warmup_rsqrt(peak, warmup_steps=1, steps=9)


def test_a_schedule_with_a_length_of_its_own_is_refused():
    made = schedules.warmup_cosine(1.0, warmup_steps=1, steps=9)
    with pytest.raises(UsageError, match="without parentheses"):
        schedules.schedule_of(made, steps=9)
    make = functools.partial(schedules.warmup_cosine, 1.0, warmup_steps=1)
    assert float(schedules.schedule_of(make, steps=9)(9)) == pytest.approx(0.1)


def test_changes_of_the_mixture_that_never_begin_are_said():
    rates = {"python_docs.causal": 1.0}
    schedule = {step: {"rates": rates} for step in (5, 8, 9)}
    mixture = Mixture("m", rates, schedule=schedule)
    assert never_begins(mixture, steps=10) == []
    (line,) = never_begins(mixture, steps=8)
    assert "its changes at step 8, 9 never begin, as train.steps is 8." in line
    assert never_begins(Mixture("m", rates), steps=1) == []
