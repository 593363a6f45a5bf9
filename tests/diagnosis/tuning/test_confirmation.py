"""A winner against the incumbent, seed by seed, beside SciPy's paired t-test."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.stats import ttest_rel

from sightline.diagnosis.tuning.confirmation import (
    as_values,
    failure_difference,
    loss_difference,
)
from sightline.objectives.errors import UsageError

pytestmark = pytest.mark.unchecked

OPPOSITE = {"better": "worse", "worse": "better", "no evidence": "no evidence"}


@given(st.integers(2, 7), st.floats(-2, 2), st.integers(0, 999))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_a_failure_is_better_where_a_paired_t_test_says_so(seeds, shift, draw):
    rng = np.random.default_rng(draw)
    incumbent = rng.normal(scale=5, size=seeds)
    winner = incumbent + shift + rng.normal(scale=0.5, size=seeds)
    test = ttest_rel(winner, incumbent)
    expected = test.confidence_interval(0.95)
    up = failure_difference(winner, incumbent, maximise=True)
    np.testing.assert_allclose([up.low, up.high], [expected.low, expected.high])
    np.testing.assert_allclose(up.value, winner.mean() - incumbent.mean())
    np.testing.assert_allclose(
        [up.winner, up.incumbent], [winner.mean(), incumbent.mean()]
    )
    told = "no evidence"
    if test.pvalue < 0.05:
        told = "better" if up.value > 0 else "worse"
    assert up.verdict == told
    down = failure_difference(winner, incumbent, maximise=False)
    assert down == up._replace(verdict=OPPOSITE[told])


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        ((1.01, 1.01, 1.01), "within"),
        ((1.02, 1.02, 1.02), "within"),
        ((1.0, 1.01, 1.02), "no evidence"),  # .01 ± .0248
        ((1.03, 1.04, 1.05), "no evidence"),  # .04 ± .0248: from .0152 on
        ((1.10, 1.11, 1.12), "beyond"),
        ((1.00, 0.98, 0.96), "no evidence"),  # -.02 ± .0497: up to .0297
        ((0.90, 0.91, 0.92), "within"),
    ],
)
def test_the_own_loss_is_within_its_bound_by_the_whole_interval(ratios, verdict):
    incumbent = np.array([2.0, 4.0, 8.0])  # ratios are of a seed, whatever its loss
    winner = incumbent * ratios
    found = loss_difference(winner, incumbent, most_loss=0.02 + 1e-12)
    assert found.verdict == verdict
    assert found.value == pytest.approx(np.mean(ratios) - 1)
    assert found.incumbent == pytest.approx(14 / 3)
    # Student's quantile at 2 degrees of freedom, over √3 runs.
    width = 4.302653 * np.std(ratios, ddof=1) / np.sqrt(3)
    np.testing.assert_allclose([found.value - found.low], [width], atol=1e-6)


def test_runs_that_are_alike_are_no_evidence_and_a_bound_that_is_met_is_kept():
    same = np.array([1.0, 2.0, 4.0])
    for maximise in (False, True):
        found = failure_difference(same, same, maximise=maximise)
        assert found[2:] == (0, 0, 0, "no evidence")
    assert loss_difference(1.5 * same, same, most_loss=0.5).verdict == "within"


def test_one_run_gives_no_interval():
    one = np.ones(1)
    with pytest.raises(UsageError, match=r"1 run of each .* give --seeds=2 or more"):
        failure_difference(one, one, maximise=True)
    with pytest.raises(UsageError, match="--seeds=2"):
        loss_difference(one, one, most_loss=0.02)


def told(rises, loss):
    incumbent = np.array([1.0, 2.0, 3.0])
    wobble = np.array([0.0, 0.01, -0.01])
    failures = {
        name: failure_difference(incumbent + up + wobble, incumbent, maximise=True)
        for name, up in rises.items()
    }
    own = loss_difference(incumbent * (1 + loss), incumbent, most_loss=0.02)
    return as_values(failures, own, most_loss=0.02, seeds=range(1000, 1003))


def test_it_is_confirmed_where_everything_is():
    found = told({"drift": 1.0, "filling": 0.5}, 0.01)
    assert found["confirmed"] and found["evidence"].startswith("Confirmed")
    assert (found["runs"], found["seeds"]) == (3, [1000, 1001, 1002])
    assert set(found["targets"]) == {"drift", "filling", "own loss, relative"}
    drift = found["targets"]["drift"]
    assert (drift["incumbent"], drift["winner"]) == (2.0, pytest.approx(3.0))
    assert drift["difference"]["low"] < 1.0 < drift["difference"]["high"]


@pytest.mark.parametrize(
    ("rises", "loss", "missed"),
    [
        ({"drift": 0.0, "filling": 1.0}, 0.01, "drift: no evidence."),
        ({"drift": 1.0, "filling": -1.0}, 0.01, "filling: worse."),
        ({"drift": 1.0}, 0.05, "own loss within 2.0%: beyond."),
        ({"drift": -1.0}, 0.05, "drift: worse; own loss within 2.0%: beyond."),
    ],
)
def test_what_is_not_confirmed_is_named_and_nothing_else(rises, loss, missed):
    found = told(rises, loss)
    assert not found["confirmed"]
    assert found["evidence"] == f"Not confirmed. {missed}"
