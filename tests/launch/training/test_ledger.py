"""The account of the steps: speeds of the whole run, and none of what is past."""

import types

import numpy as np
import pytest

from sightline.launch.training.interval import fresh
from sightline.launch.training.ledger import Ledger
from sightline.launch.training.step import StepMetrics
from sightline.models.loss import ObjectiveSums
from sightline.objectives.registry import CAPACITY
from sightline.tasks.shares.counts import zero_counts

pytestmark = pytest.mark.unchecked


def ignore(*_, **__):
    """Stands in for what nothing is asked of."""


@pytest.fixture
def told():
    return types.SimpleNamespace(tokens=[], records=[])


@pytest.fixture
def ledger(told):
    """That of a host which counts a quarter of the rows."""

    def made(counted=0.25):
        return Ledger(
            fresh(),
            directory=types.SimpleNamespace(check=ignore),
            writer=types.SimpleNamespace(
                write=lambda step, values: told.records.append(values)
            ),
            trace=types.SimpleNamespace(write=ignore, flush=ignore),
            progress=types.SimpleNamespace(
                add=lambda step, *, tokens, loss: told.tokens.append(tokens)
            ),
            goodput=types.SimpleNamespace(seconds=lambda _: 0.0, at_step=ignore),
            shares_of=lambda _: np.zeros(CAPACITY, np.float32),
            normalisation="objective",
            learning_rate=lambda _: 1e-3,
            most_skips=2,
            counted=counted,
        )

    return made


def metrics():
    ones = np.ones(CAPACITY, np.float32)
    sums = ObjectiveSums(*(ones for _ in ObjectiveSums._fields))
    return StepMetrics(2.0, 1.0, sums, True, False, 0, 0)


def counts(processed):
    none = zero_counts()
    return none._replace(processed=none.processed + processed * np.eye(CAPACITY)[0])


@pytest.mark.parametrize(("counted", "shown"), [(0.25, 400), (1.0, 100), (0.0, 0)])
def test_the_tokens_that_are_shown_are_those_of_all_hosts(counted, shown, ledger, told):
    one = ledger(counted)
    one.add(1, range(4), counts(100), metrics())
    one.settle()
    assert told.tokens == [shown]


def test_a_record_that_is_made_up_for_has_no_speed(ledger, told):
    """The steps were taken before the start, which only writes them down."""
    one = ledger()
    one.write_record(3, skipped=0)
    one.add(4, range(4), counts(100), metrics())
    one.write_record(4, skipped=0)
    first, second = told.records
    assert not {"tokens_per_second", "data_wait"} & first.keys()
    assert second["tokens_per_second"] > 0 and second["data_wait"] == 0.0
