"""Sums over the steps since the last record."""

import numpy as np
import pytest

from sightline.launch.training.interval import extend, fresh, record
from sightline.launch.training.step import StepMetrics
from sightline.models.loss import ObjectiveSums
from sightline.objectives.registry import CAPACITY
from sightline.tasks.shares.counts import zero_counts

pytestmark = pytest.mark.unchecked


def step(loss, *, finite=True, spike=False):
    ones = np.ones(CAPACITY, np.float32)
    sums = ObjectiveSums(*(ones for _ in ObjectiveSums._fields))
    return StepMetrics(loss, 2 * loss, sums, finite, spike, 0, 0)


def recorded(*steps):
    interval = fresh()
    for metrics in steps:
        interval = extend(interval, zero_counts(), metrics)
    return record(interval, np.zeros(CAPACITY, np.float32))


def test_an_interval_without_an_update_has_no_means():
    found = recorded(step(np.nan, finite=False))
    assert found == {"train/skipped": 1}


def test_a_skipped_step_is_counted_and_stays_out_of_the_means():
    spoilt = [step(np.inf, finite=False), step(1e3, spike=True)]
    found, sound = (
        recorded(step(2.0), *spoilt, step(4.0)),
        recorded(step(2.0), step(4.0)),
    )
    assert found == {**sound, "train/skipped": 2}
    assert found["train/loss"] == 3.0 and found["train/causal/loss"] == 1.0
