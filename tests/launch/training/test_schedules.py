"""Learning rates at the steps that matter."""

import pytest

from sightline.launch.training import schedules


def rates(schedule, *steps):
    return [float(schedule(step)) for step in steps]


def test_constant():
    assert rates(schedules.constant(0.5), 0, 1000) == [0.5, 0.5]


def test_warmup_cosine():
    schedule = schedules.warmup_cosine(1.0, warmup_steps=10, steps=110)
    found = rates(schedule, 0, 4, 9, 10, 60, 110, 200)
    assert found == pytest.approx([0.1, 0.5, 1.0, 1.0, 0.55, 0.1, 0.1])


def test_warmup_rsqrt():
    schedule = schedules.warmup_rsqrt(1.0, warmup_steps=10)
    assert rates(schedule, 0, 9, 10, 40, 1000) == pytest.approx([0.1, 1, 1, 0.5, 0.1])


def test_warmup_stable_decay():
    schedule = schedules.warmup_stable_decay(
        1.0, warmup_steps=10, steps=100, decay_steps=20
    )
    found = rates(schedule, 0, 9, 10, 80, 90, 100, 150)
    assert found == pytest.approx([0.1, 1, 1, 1, 0.5, 0, 0], abs=1e-6)


def test_one_step_of_warmup():
    assert rates(schedules.warmup_rsqrt(1.0, warmup_steps=1), 0) == [1.0]


def test_steps_that_do_not_fit():
    with pytest.raises(ValueError, match="warmup_steps"):
        schedules.warmup_cosine(1.0, warmup_steps=10, steps=10)
    with pytest.raises(ValueError, match="warmup_steps"):
        schedules.warmup_rsqrt(1.0, warmup_steps=0)
